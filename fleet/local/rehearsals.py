"""A preview that was shown before is shown again, as long as nothing has moved that it stands on.

What depends on the time of day, because a waiver or a permit ends some day, is previewed anew.
"""

import contextlib

from fleet.local import previews
from fleet.model import errors, json_values, names
from fleet.protocol import encoding


async def preview(asked: previews.Asked, ground: previews.Ground) -> previews.Preview:
    key, memo = _key(asked, ground), ground.tools.memo
    known = await memo.recall([key])
    if key in known:
        with contextlib.suppress(errors.InputError):  # of another form it is made anew
            return encoding.decode(previews.Preview, known[key])
    found = await previews.preview(asked, ground)
    if not found.is_timed:
        with contextlib.suppress(ValueError):  # a value that JSON has no word for
            await memo.remember({key: encoding.encode(found)})
    return found


def _key(asked: previews.Asked, ground: previews.Ground) -> str:
    """All that a preview depends on, beside the program itself."""
    tools, road = ground.tools, ground.road
    origin = [
        encoding.as_json(asked),
        encoding.as_json(road),
        [ground.tips.get(step.branch) for step in road.steps],
        tools.kustomize.identity if tools.kustomize else "",
        tools.schemas.identity,
    ]
    return f"preview/{names.Digest(json_values.digest(origin))}"
