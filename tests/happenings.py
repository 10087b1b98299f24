"""What may happen to a wandering fleet: each is a row of one table, with how often it does.

A happening does one thing at random and says which, in a few words; what the hub makes of it is for the invariants.
"""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import approvers
import builders
import fixing
import merging
import mishaps
import worlds
from fleet.gate import trailers
from fleet.hub import state as hubs
from fleet.model import approving, errors, names
from fleet.protocol import encoding
from fleet.simulation import world

if TYPE_CHECKING:
    from wandering import Walk

Happening: TypeAlias = Callable[["Walk"], Awaitable[str | None]]
SETTING = "apps/more/setting.yaml"
_PAIRS = (("dev", "staging"), ("staging", "prod"))
_PERSON = "ada"


def setting(value: str) -> str:
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: setting, namespace: default}\n"
    return f'{head}data: {{value: "{value}"}}\n'


# People who commit.


async def entry(walk: "Walk") -> str:
    return _changed(walk, "dev", "change")


def _changed(walk: "Walk", branch: str, message: str) -> str:
    """One file of the shared ones becomes another; each value is one of few, so that contents come again."""
    remote, value = walk.here.remote, walk.chance.choice("123")
    if branch not in remote.branches:
        return ""
    files = remote.made(remote.branches[branch]).files
    path = walk.chance.choice((worlds.WEB, SETTING, SETTING, worlds.GREETING))
    if path not in files:
        return ""
    text = remote.read(branch, path).decode()
    if path == SETTING:
        text = setting(value)
    elif path == worlds.WEB:
        before, _, after = text.partition("hello/web:")
        text = f"{before}hello/web:1.{value}\n{after.partition(chr(10))[2]}"
    else:
        text = text.partition("  text:")[0] + f"  text: word {value}\n"
    remote.commit(branch, {path: text}, message)
    return f"{path} of {branch} = {value}"


async def violating(walk: "Walk") -> str:
    """A commit that the policies forbid, that is no YAML, or that shows a secret where it is wrong."""
    if "dev" not in walk.here.remote.branches:
        return ""
    bad = walk.chance.choice(("latest", "garbage", "secret", "bundle"))
    remote = walk.here.remote
    if bad == "latest":
        worlds.with_image(walk.here, "dev", "latest")
    if bad == "garbage":
        remote.commit("dev", {SETTING: "kind: [unclosed"}, "garbage")
    if bad == "secret":
        text = remote.read("dev", "apps/more/secret.yaml").decode()
        remote.commit("dev", {"apps/more/secret.yaml": f"{text}  wrong: [1\n"}, "wrong")
    if bad == "bundle" and "apps/more/bundle.yaml" in remote.made(remote.branches["dev"]).files:
        remote.commit("dev", {"apps/more/bundle.yaml": None}, "no bundle")
    return bad


async def owned(walk: "Walk") -> str:
    name = _branch(walk)
    if not name:
        return ""
    walk.here.remote.commit(
        name, {f"environments/{name}/values.yaml": f"a: {walk.chance.choice('12')}\n"}, "own"
    )
    return name


async def direct(walk: "Walk") -> str:
    return _changed(walk, walk.chance.choice(("staging", "prod")), "quickly, right here")


async def hotfix(walk: "Walk") -> str:
    return _changed(
        walk,
        walk.chance.choice(("staging", "prod")),
        f"fix\n\n{trailers.HOTFIX}: it burns\n",
    )


async def rules(walk: "Walk") -> str:
    """The policy is loosened or tightened where changes enter."""
    remote = walk.here.remote
    tip = remote.branches.get("dev")
    if tip is None or worlds.BINDING not in remote.made(tip).files:
        return ""
    text = remote.read("dev", worlds.BINDING).decode()
    is_strict = "[Deny]" in text
    other = text.replace("[Deny]", "[Warn]") if is_strict else text.replace("[Warn]", "[Deny]")
    remote.commit("dev", {worlds.BINDING: other}, "other rules")
    return "loosened" if is_strict else "tightened"


# People who move content between branches.


async def promote(walk: "Walk") -> str:
    """As `fleet promote` builds it, from the tip or from any commit, in whole or a bundle."""
    source, target = walk.chance.choice(_PAIRS)
    remote = walk.here.remote
    if not {source, target} <= remote.branches.keys():
        return ""
    known = remote.ordered(remote.branches[source])
    commit = walk.chance.choice([known[0], known[0], known[0], walk.chance.choice(known)])
    bundle = walk.chance.choice(("", "", "", "apps/hello", "apps/more"))
    older = walk.chance.choice(("", "", "", "because"))
    try:
        made = await merging.promote(remote, source, target, commit, bundle, older)
    except errors.InputError:
        return f"{target}: no such bundle"
    if not made:
        return f"{target} has it"
    return f"{source} to {target} at {commit[:7]} {bundle} {older}"


async def merge(walk: "Walk") -> str:
    """As git merges; a conflict is resolved at random, and now and then somebody changes more."""
    source, target = walk.chance.choice(_PAIRS)
    return merging.merge(walk.here.remote, source, target, walk.chance)


async def other_way(walk: "Walk") -> str:
    """A squash, a rebase, a fast-forward, `-s ours`, an evil merge, another direction, a step left out."""
    way = walk.chance.choice(sorted(merging.WAYS))
    pairs = [*_PAIRS, ("dev", "prod"), ("prod", "staging"), ("staging", "dev")]
    source, target = walk.chance.choice([*_PAIRS, *_PAIRS, *pairs])
    done = merging.WAYS[way](walk.here.remote, source, target, walk.chance)
    return f"{way} {done}"


async def revert(walk: "Walk") -> str:
    name = _branch(walk)
    remote = walk.here.remote
    if not name or not remote.made(remote.branches[name]).told.parents:
        return ""
    remote.revert(name)
    return name


async def roll_back(walk: "Walk") -> str:
    """A commit with the shared files of something that was accepted there once."""
    environment = walk.chance.choice(("staging", "prod", "dev"))
    remote = walk.here.remote
    known = [e.commit for e in walk.watch.trees.stood.get(environment, [])]
    if not known or environment not in remote.branches:
        return ""
    commit = walk.chance.choice(known)
    merging.back(remote, environment, commit)
    return f"{environment} to {commit[:7]}"


async def rewrite(walk: "Walk") -> str:
    name = _branch(walk)
    remote = walk.here.remote
    if not name:
        return ""
    way = walk.chance.choice(("back", "orphan", "delete"))
    if way == "back":
        known = remote.ordered(remote.branches[name])
        remote.force(name, walk.chance.choice(known[:4]))
    elif way == "orphan":
        remote.orphan(name)
    else:
        walk.lost[name] = remote.branches[name]
        remote.delete(name)
    return f"{way} {name}"


async def restore_branch(walk: "Walk") -> str:
    for name, commit in walk.lost.items():
        walk.here.remote.force(name, commit)
    told = " ".join(walk.lost)
    walk.lost.clear()
    return told


def _branch(walk: "Walk") -> str:
    return walk.chance.choice(sorted(walk.here.remote.branches) or [""])


# People who agree, stop, lift.


async def approve(walk: "Walk") -> str:
    who = walk.chance.choice((approvers.ADA, approvers.BERT, approvers.BERT, approvers.MALLORY))
    decision = walk.chance.choice(("approve", "approve", "approve", "revoke"))
    with contextlib.suppress(errors.UnreachableError):
        await approve_tip(walk.here, walk.hub, who, approving.Decision(decision))
    return f"{who.name} {decision}"


async def approve_tip(
    here: world.World,
    hub: hubs.Hub,
    who: approvers.Person,
    decision: approving.Decision = approving.Decision.APPROVE,
) -> None:
    """What an approver's machine would compute of prod's tip is what the hub asks for."""
    found = hub.consents.get(names.Environment("prod"))
    if found is not None:
        await _says(here, who, found[1].subject, decision)


async def approve_running(here: world.World) -> None:
    """Once more what runs in prod: an approval that was taken back stops the waves that follow."""
    release = worlds.book(here).in_force(names.Environment("prod"))
    if release is not None and release.consent is not None:
        await _says(here, approvers.ADA, release.consent.subject, approving.Decision.APPROVE)


async def _says(
    here: world.World,
    who: approvers.Person,
    subject: approving.Subject,
    decision: approving.Decision,
) -> None:
    expires = builders.later(7 * 86400, here.clock.now())
    signed = who.says(subject, expires=expires, decision=decision)
    await here.serve(lambda desk: desk.approve(encoding.encode(signed)))


async def halt(walk: "Walk") -> str:
    what = walk.chance.choice(("pause", "resume", "resume", "abort"))
    asked = {"environment": walk.chance.choice(worlds.ENVIRONMENTS), "reason": "because"}
    await walk.ask(f"rollout {what}", asked)
    return f"{what} {asked['environment']}"


async def quarantine(walk: "Walk") -> str:
    """Quarantines are lifted, or somebody makes one."""
    book = worlds.book(walk.here)
    for environment, content in sorted(book.quarantines):
        asked = {"environment": environment, "what": content, "reason": "fine", "by": _PERSON}
        await walk.ask("lift", asked)
        return f"lift {environment}"
    running = book.in_force(names.Environment("dev"))
    if running is None:
        return ""
    asked = {
        "environment": "staging", "what": running.commit, "reason": "bad", "by": _PERSON,
    }  # fmt: skip
    await walk.ask("quarantine", asked)
    return "staging"


async def decree(walk: "Walk") -> str:
    name = walk.chance.choice(worlds.ENVIRONMENTS)
    await walk.ask("baseline", {"environments": [name]})
    return name


async def question(walk: "Walk") -> str:
    for command, arguments in (("status", {}), ("explain", {"environment": "prod"}),
                               ("explain", {"environment": "staging"})):  # fmt: skip
        await walk.ask(command, arguments)
    return ""


WEIGHTS: Mapping[str, float] = {
    "entry": 8, "violating": 2, "owned": 2, "direct": 2, "hotfix": 4, "rules": 1,
    "promote": 12, "merge": 3, "other_way": 5, "revert": 3, "drop": 1, "reopen": 1, "roll_back": 3, "rewrite": 2,
    "restore_branch": 1,
    "approve": 8, "halt": 2, "quarantine": 2, "decree": 1, "question": 1,
    "git_host": 1, "partition": 2, "api_server": 2, "admission": 2, "by_hand": 1, "hub_dies": 4,
    "hub_stutters": 2, "agent_dies": 3, "clock_of_agent": 1, "clock_of_hub": 1, "back_up": 2, "restore": 1,
    "recover": 1, "rob": 1,
}  # fmt: skip
_PEOPLES: tuple[Happening, ...] = (
    entry, violating, owned, direct, hotfix, rules, promote, merge, other_way, revert, fixing.drop, fixing.reopen,
    roll_back, rewrite, restore_branch, approve, halt, quarantine, decree, question,
)  # fmt: skip
_BROKEN: tuple[Happening, ...] = (
    mishaps.git_host, mishaps.partition, mishaps.api_server, mishaps.admission, mishaps.by_hand, mishaps.hub_dies,
    mishaps.hub_stutters, mishaps.agent_dies, mishaps.clock_of_agent, mishaps.clock_of_hub, mishaps.back_up,
    mishaps.restore, mishaps.recover, mishaps.rob,
)  # fmt: skip
ALL: Mapping[str, Happening] = {each.__name__: each for each in (*_PEOPLES, *_BROKEN)}
