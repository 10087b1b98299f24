"""Invariant 13 over the records of a world: waves in turn, no more changes at once than allowed, halts honoured.

What is allowed comes from the test that made the fleet, never from what the hub wrote down.
"""

import bisect
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fleet.audit import records

_AWAKE = timedelta(
    seconds=240
)  # a poll is answered at most 50 s after it came, and counts for 300


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What fleet.yaml says of a wave."""

    at_once: int = 0  # 0 = any number
    max_unavailable: int = 0
    soak: int = 0  # seconds


@dataclass(kw_only=True)
class Rules:
    say: Callable[[str], None]
    limits: dict[tuple[str, str], Limit] = field(default_factory=dict)  # by environment and wave
    wave_of: Callable[[str, str], str] = lambda _environment, _cluster: ""
    broken_before: frozenset[str] = frozenset()
    heard: dict[str, list[datetime]] = field(default_factory=dict)  # when the hub answered whom

    def check(self, record: records.Record, found: list[records.Record]) -> None:
        if record.kind is records.Kind.WAVE:
            self._in_turn(record, found)
            self._unhalted(record, found)
        if record.kind is records.Kind.DISPATCH:
            self._in_its_wave(record, found)
            self._at_once(record, found)
            if not self._had(record, found):
                self._unhalted(record, found)

    def _in_turn(self, wave: records.Record, found: list[records.Record]) -> None:
        """No wave before those before it are good, for as long as they must be, and no cluster twice."""
        release, environment = wave.body["release"], wave.subject
        before = [
            r
            for r in found[: wave.index]
            if r.kind is records.Kind.WAVE and r.subject == environment
        ]
        out = [c for r in before if r.body["release"] == release for c in r.body["clusters"]]
        title = f"wave {wave.body['wave']} of {environment} {release}"
        for cluster in sorted(set(out) & set(wave.body["clusters"])):
            self.say(f"{title} has {cluster}, which had it already")
        standing = {c: self._told(c, release, wave, found) for c in out}
        for name, count in Counter(
            self.wave_of(environment, c) for c, good in standing.items() if good is False
        ).items():
            if count > self._limit(environment, name).max_unavailable:
                self.say(f"{title} began before {count} of {name} were good")
        if out and not any(standing.values()):
            self.say(f"{title} began before anyone was good")
        if out and self.wave_of(environment, out[-1]) != self.wave_of(
            environment, wave.body["clusters"][0]
        ):
            self._soaked(title, self.wave_of(environment, out[-1]), wave, found)

    def _told(
        self, cluster: str, release: int, wave: records.Record, found: list[records.Record]
    ) -> bool | None:
        """Whether it was good with the release when the wave began; None = it counts for nothing."""
        told = [
            r
            for r in found[: wave.index]
            if r.kind is records.Kind.REPORT and r.body["cluster"] == cluster
        ]
        if cluster in self.broken_before or not told or self._is_halted(cluster, wave, found):
            return None
        last = told[-1]
        if self._is_good(last, release):
            return True
        return False if self._is_concerned(cluster, release, wave, found) else None

    def _is_concerned(
        self, cluster: str, release: int, wave: records.Record, found: list[records.Record]
    ) -> bool:
        """It was sent the release, or it is awake: the hub has answered it within the last minutes."""
        sent = (r.body for r in found[: wave.index] if r.kind is records.Kind.DISPATCH)
        if any((body["cluster"], body["release"]) == (cluster, release) for body in sent):
            return True
        times = self.heard.get(cluster, [])
        before = bisect.bisect_right(times, wave.at)
        return before > 0 and wave.at - times[before - 1] <= _AWAKE

    def _is_halted(self, cluster: str, wave: records.Record, found: list[records.Record]) -> bool:
        """Somebody stopped it before it was sent this release."""
        release = wave.body["release"]
        held = _held(found[: wave.index], release)
        if not any((on, which) == (wave.subject, cluster) for on, _, which, _ in held):
            return False
        sent = (r.body for r in found[: wave.index] if r.kind is records.Kind.DISPATCH)
        return not any((b["cluster"], b["release"]) == (cluster, release) for b in sent)

    def _is_good(self, report: records.Record, release: int) -> bool:
        body = report.body
        is_good = body["applied"] and body["health"] == "Current"
        return body["release"] == release and (is_good or body["retired"])

    def _soaked(
        self, title: str, name: str, wave: records.Record, found: list[records.Record]
    ) -> None:
        """Within the soak before a wave nobody of the waves before it said that it was anything but good."""
        soak = timedelta(seconds=self._limit(wave.subject, name).soak)
        release, since = wave.body["release"], wave.at - soak
        earlier = [r for r in found[: wave.index] if r.subject == wave.subject]
        opened = [
            r for r in earlier if r.kind is records.Kind.WAVE and r.body["release"] == release
        ]
        if wave.at < opened[-1].at or _is_hurried(wave.subject, release, found):
            return  # a clock that went back does not tell how long it was; hotfixes and ways back wait for none
        if opened[-1].at > since:
            self.say(f"{title} began {wave.at - opened[-1].at} after the one before it")
        out = {c for r in opened for c in r.body["clusters"]} - self.broken_before
        for r in found[: wave.index]:
            is_told = r.kind is records.Kind.REPORT and r.body["cluster"] in out and r.at > since
            if is_told and r.body["release"] == release and not self._is_good(r, release):
                self.say(f"{title} began though {r.body['cluster']} was not good for {soak}")

    def _limit(self, environment: str, name: str) -> Limit:
        return self.limits.get((environment, name), Limit())

    def _at_once(self, dispatch: records.Record, found: list[records.Record]) -> None:
        """Of one wave no more clusters change at once than its size, beside those that may be unavailable."""
        body = dispatch.body
        environment, release = body["environment"], body["release"]
        name = self.wave_of(environment, body["cluster"])
        limit = self._limit(environment, name)
        if not limit.at_once or body["cluster"] in self.broken_before:
            return
        changing: set[str] = set()
        sent: set[str] = set()
        for r in found[: dispatch.index + 1]:
            about = r.body.get("cluster", "")
            is_its = (r.body.get("environment"), r.body.get("release")) == (environment, release)
            if not is_its or self.wave_of(environment, about) != name:
                continue
            if r.kind is records.Kind.DISPATCH and about not in sent:  # else it is a renewal
                changing.add(about)
                sent.add(about)
            if r.kind is records.Kind.REPORT and self._is_good(r, release):
                changing.discard(about)
            elif r.kind is records.Kind.REPORT:
                changing.add(about)
        if len(changing - self.broken_before) > limit.at_once + limit.max_unavailable:
            self.say(f"{environment} {release}: {len(changing)} of {name} changed at once")

    def _unhalted(self, record: records.Record, found: list[records.Record]) -> None:
        """Nothing new goes out where people have stopped it."""
        body, environment = record.body, record.subject.partition("/")[0]
        cluster = body.get("cluster", "")
        name = body["name"] if "name" in body else self.wave_of(environment, cluster)
        for on, wave, which, act in sorted(_held(found[: record.index], body["release"])):
            if on in ("", environment) and (which == cluster if which else wave in ("", name)):
                self.say(f"record {record.index} goes out in spite of a {act}")

    def _had(self, dispatch: records.Record, found: list[records.Record]) -> bool:
        """It had this release before: a renewal."""
        same = ("cluster", "environment", "release")
        return any(
            r.kind is records.Kind.DISPATCH and all(r.body[k] == dispatch.body[k] for k in same)
            for r in found[: dispatch.index]
        )

    def _in_its_wave(self, dispatch: records.Record, found: list[records.Record]) -> None:
        body = dispatch.body
        waves = [
            r
            for r in found[: dispatch.index]
            if r.kind is records.Kind.WAVE and r.subject == body["environment"]
        ]
        out = {
            c for r in waves if r.body["release"] == body["release"] for c in r.body["clusters"]
        }
        if body["cluster"] not in out:
            self.say(f"record {dispatch.index} sends {body['cluster']} a release before its wave")


def _is_hurried(environment: str, release: int, found: list[records.Record]) -> bool:
    return any(
        (r.subject, r.body["release"]) == (environment, release)
        and r.body["lineage"] in ("hotfix", "rollback")
        for r in found
        if r.kind is records.Kind.DECISION
    )


def _held(found: list[records.Record], release: int) -> set[tuple[str, ...]]:
    """The halts that hold after these records: environment, wave, cluster, act."""
    held: set[tuple[str, ...]] = set()
    for told in (r.body for r in found if r.kind is records.Kind.ROLLOUT):
        where = told["environment"], told["wave"], told["cluster"]
        if told["act"] == "pause" or (told["act"] == "abort" and told["release"] == release):
            held.add((*where, told["act"]))
        if told["act"] == "resume":
            held.discard((*where, "pause"))
    return held
