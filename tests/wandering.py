"""A fleet to which anything may happen: people, git, agents and faults at random, one seed a world.

What is checked after each step is in tests/invariants.py; what may happen, in tests/happenings.py. A walk that fails
tells its way, step by step.
"""

import asyncio
import contextlib
import json
import logging
import pickle
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import approvers
import happenings
import invariants
import redeciding
import replaying
import storyline
import waverules
import worlds
from fleet.hub import state as hubs
from fleet.model import errors, names
from fleet.protocol import trustchain
from fleet.simulation import book, clock, faults, repository, world

CLUSTERS = {"dev-1": "dev", "staging-1": "staging", "prod-canary": "prod", "prod-1": "prod",
            "prod-2": "prod"}  # fmt: skip
CANARY = "c4n4ry-s3cr3t"
SCOPE = ("apps/**",)
LIMITS = {
    ("prod", "canary"): waverules.Limit(soak=5),
    ("prod", "rest"): waverules.Limit(at_once=1),
}
_WAVES = [
    {"name": "canary", "selector": {"matchLabels": worlds.CANARY}, "soak": "5s"},
    {"name": "rest", "size": "1"},
]
_FLEET = {
    "apiVersion": "fleetgate.dev/v1alpha1",
    "kind": "Fleet",
    "metadata": {"name": "wandering"},
    "spec": {
        "environments": [
            {"name": "dev"},
            {"name": "staging", "gates": {"soak": "10s"}, "hotfix": {"paths": [*SCOPE]}},
            {"name": "prod", "waves": _WAVES, "hotfix": {"paths": [*SCOPE]}},
        ]
    },
}
TRUST = approvers.trust(
    environment="prod", approvals=[{"group": "releasers", "count": 1, "unsigned": True}]
)
_POLL = 5.0  # virtual seconds between two fetches
_BUNDLE = "apiVersion: fleetgate.dev/v1alpha1\nkind: Bundle\nmetadata:\n  name: more\nspec: {}\n"
_POLICY = """apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: disallow-latest-tag}
spec:
  matchConstraints:
    resourceRules:
      - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  validations:
    - expression: object.spec.template.spec.containers.all(c, !c.image.endsWith(':latest'))
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: disallow-latest-tag}
spec:
  policyName: disallow-latest-tag
  validationActions: [Deny]
"""  # the library's of that name takes ten times as long to compile
_SECRET = f"""apiVersion: v1
kind: Secret
metadata:
  name: token
  namespace: default
stringData:
  token: {CANARY}
"""


@dataclass(kw_only=True)
class Walk:
    """One world on its way. `told` is what happened, for whoever has to repeat it."""

    here: world.World
    watch: invariants.Watch
    chance: random.Random
    lives: list[hubs.Hub]
    told: list[str] = field(default_factory=list)
    backup: book.Pages | None = None
    lost: dict[str, names.CommitId] = field(default_factory=dict)  # branches that somebody deleted

    @property
    def hub(self) -> hubs.Hub:
        return self.lives[-1]

    async def ask(self, command: str, arguments: Mapping[str, Any] | None = None) -> None:
        """What a person asks for; that it is refused, or that nobody serves, is an answer as well."""
        try:
            answer = await self.here.ask(command, arguments)
        except errors.FleetError as error:
            self.watch.told.append(str(error))
        else:
            self.watch.told.append(repr(answer))

    async def step(self, weights: Mapping[str, float]) -> None:
        known = list(weights)
        name = self.chance.choices(known, [weights[each] for each in known])[0]
        self.told.append(name)
        self.told.append(await happenings.ALL[name](self) or "")
        await self.here.pass_time(self.chance.choice((0.3, 2.0, 7.0, 7.0, 20.0)))
        self.watch.check()
        await self.check_replay()

    async def check_replay(self) -> None:
        """Now and then: a judgement that remembers nothing comes to the same."""
        hub, process = self.hub, self.here.hub.process
        if process is None or process.is_dead or not hub.is_loaded or hub.tips is None:
            return
        if self.chance.random() < 0.02:
            with contextlib.suppress(faults.Crash, errors.UnreachableError):
                async with hub.deciding:
                    process.plan = (
                        faults.nothing
                    )  # a call that is late would make it another moment
                    await redeciding.check(hub, self.watch)


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A fleet at rest, to begin with again and again."""

    remote: repository.Remote
    pages: book.Pages
    memo: Mapping[str, bytes]
    kept: Mapping[str, Any]
    held: Mapping[str, tuple[bytes, int, int]]  # pickled: many times as fast as a deep copy
    passed: timedelta


class _Ear(logging.Handler):
    """Every line of the log is an output like any other."""

    def __init__(self, told: list[str]) -> None:
        super().__init__()
        self.told = told

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


Spoil = Callable[[Walk], None]


def walk(
    seed: int,
    *,
    steps: int = 5,
    rests: bool = True,
    weights: Mapping[str, float] = happenings.WEIGHTS,
    spoil: Spoil = lambda _: None,
    hub: Callable[[hubs.Hub], None] = lambda _: None,
    agent: world.AgentFactory | None = None,
) -> Walk:
    """Raises AssertionError with the way there, for whatever did not hold."""
    settled()
    return clock.run(_walk(seed, steps, rests, weights, spoil, hub, agent or worlds.agent()))


async def _walk(
    seed: int,
    steps: int,
    rests: bool,
    weights: Mapping[str, float],
    spoil: Spoil,
    change: Callable[[hubs.Hub], None],
    agent: world.AgentFactory,
) -> Walk:
    lives: list[hubs.Hub] = []

    def made(hub: hubs.Hub) -> None:
        lives.append(hub)
        change(hub)

    here = _world(worlds.hub(change=made, settings=hubs.Settings(poll_interval=_POLL)), agent)
    found = _walk_in(here, random.Random(seed), lives)  # noqa: S311
    ear = _Ear(found.watch.told)
    root = logging.getLogger("fleet")
    root.addHandler(ear)
    try:
        _resume(here)
        spoil(found)
        await here.pass_time(1.0)
        for _ in range(steps):
            await found.step(weights)
        if rests:
            await _rest(found)
    except (AssertionError, errors.UnreachableError) as error:
        way = " > ".join(each for each in found.told if each)
        raise AssertionError(f"seed {seed}: {error}\nafter {way}") from error
    finally:
        root.removeHandler(ear)
        await here.close()
        await here.pass_time(1.0)  # what was killed just now comes to its end by itself
    return found


async def _rest(found: Walk) -> None:
    await heal(found)
    found.watch.check_converged()
    await replaying.check(found.here)


def _walk_in(here: world.World, chance: random.Random, lives: list[hubs.Hub]) -> Walk:
    watch = invariants.Watch(here)
    watch.waves.limits = LIMITS
    watch.waves.wave_of = _wave_of
    watch.trees.scope = SCOPE
    watch.may_end = ("UnreachableError",)
    watch.canaries = (CANARY.encode(), b"YzRuNHJ5LXMzY3IzdA")
    return Walk(here=here, watch=watch, chance=chance, lives=lives)


def _wave_of(environment: str, cluster: str) -> str:
    if environment != "prod":
        return ""
    return "canary" if cluster == "prod-canary" else "rest"


async def heal(found: Walk) -> None:
    """All that was broken is mended, and what stays is what rests on people."""
    here = found.here
    here.remote.is_down = False
    found.watch.robbed.clear()
    for member in here.members.values():
        member.server.is_down = member.wire.is_cut = False
        member.server.deny = lambda _verb, _key, _body: ""
        member.server.broken_images = frozenset()
        member.clock.ahead = here.clock.ahead
        member.wire.hub = here
    for name in worlds.ENVIRONMENTS:
        if name not in here.remote.branches:
            here.remote.branches[name] = found.lost.pop(name)
    for post in found.watch.posts():
        post.plans.clear()
        if post.process is not None:
            post.process.plan = faults.nothing
    await here.pass_time(100.0)
    if worlds.book(here).seal.held:
        await found.ask("recover")
    for name in worlds.ENVIRONMENTS:
        await found.ask("rollout resume", {"environment": name, "reason": "all is well"})
    await happenings.approve_running(here)
    # A lease or a pause that began on a clock that was ahead is waited for until that moment has come.
    await here.pass_time(1300.0 if "clock_of_hub" in found.told else 320.0)
    found.watch.check()


# The fleet to begin with.


@cache
def settled() -> Settled:
    return clock.run(_settle())


def _furnished(hub: world.HubFactory) -> world.World:
    """Three branches that say the same, and who approves on the last."""
    here = world.World(hub, worlds.agent())
    more = {
        "apps/more/bundle.yaml": _BUNDLE,
        happenings.SETTING: happenings.setting("0"),
        "apps/more/secret.yaml": _SECRET,
        worlds.BINDING: _POLICY,
        "fleet.yaml": json.dumps(_FLEET),
    }
    here.remote.start("dev", {**worlds.files(), **{p: text.encode() for p, text in more.items()}})
    for name in worlds.ENVIRONMENTS[1:]:
        here.remote.branch(name, at="dev")
    trust = {"trust/prod/1.yaml": TRUST.text, "trust/prod/1.sig": TRUST.signatures}
    here.remote.commit("prod", trust, "who approves")
    return here


async def _register(here: world.World, name: str, environment: str) -> None:
    labels = worlds.CANARY if name == "prod-canary" else {}
    pin = trustchain.digest(TRUST.text) if environment == "prod" else ""
    here.add_cluster(name)
    document = await worlds.enroll(here, name, environment, labels, pinned=pin)
    path = worlds.path_of(environment, name)
    here.remote.commit(environment, {path: document}, f"Register {name}")
    here.members[name].agent.start()


async def _settle() -> Settled:
    lives: list[hubs.Hub] = []
    here = _furnished(worlds.hub(change=lives.append))
    for name, environment in CLUSTERS.items():
        await _register(here, name, environment)
    here.hub.start()
    story = storyline.Story(here=here, watch=invariants.Watch(here))
    await story.healthy("dev", "dev at first")
    await story.healthy("staging", "staging at first")
    await here.until(lambda: "prod" in lives[-1].consents)
    await happenings.approve_tip(here, lives[-1], approvers.BERT)
    await story.healthy("prod", "prod at first")
    await here.pass_time(60.0)
    story.watch.check()
    await here.close()
    passed = timedelta(seconds=asyncio.get_running_loop().time() + 300.0)
    servers = {name: each.server for name, each in here.members.items()}
    return Settled(
        remote=here.remote,
        pages=here.shelf.copy(),
        memo=dict(here.memo),
        kept=dict(here.kept),
        held={n: (pickle.dumps(s.held), s.revision, s.made) for n, s in servers.items()},
        passed=passed,
    )


def _world(hub: world.HubFactory, agent: world.AgentFactory) -> world.World:
    known = settled()
    here = world.World(hub, agent)
    here.clock.ahead = known.passed
    here.remote = known.remote.copy(here.clock.now)
    here.shelf.synced = known.pages.copy()
    here.memo, here.kept = dict(known.memo), dict(known.kept)
    for name, (held, revision, made) in known.held.items():
        member = here.add_cluster(name)
        member.clock, server = clock.VirtualClock(ahead=known.passed), member.server
        server.held, server.revision, server.made = pickle.loads(held), revision, made  # noqa: S301 - of our own
    return here


def _resume(here: world.World) -> None:
    here.hub.start()
    for member in here.members.values():
        member.agent.start()
