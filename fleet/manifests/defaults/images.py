"""How an image is pulled where nobody says it: always by the tag `latest`, else once.

Source: SetDefaults_Container in core/v1/defaults.go; github.com/distribution/reference for what is a name at all.
"""

import functools
import re

_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST_PART = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_NAME = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>{_DIGEST}))?\Z",
    re.ASCII,
)
_LONGEST = 1024


@functools.lru_cache(maxsize=4096)
def pull_policy(image: object) -> str:
    match = _NAME.match(image) if isinstance(image, str) and len(image) <= _LONGEST else None
    if match is None:
        return "IfNotPresent"
    is_latest = match["tag"] == "latest" or not (match["tag"] or match["digest"])
    return "Always" if is_latest else "IfNotPresent"
