"""A Kubernetes API server in memory: what it holds, how it answers a write, whom it tells.

Whoever writes is named by `manager`, as a field manager is. Each effect is told to `on_change` at the instant when
it happens, so that a test can look at the world as it is then.
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fleet.model import objects
from fleet.ports.cluster import Answer, Event, EventType, FieldConflict, Resource, Status
from fleet.simulation import controllers, copies, ownership, served, sights

Body = dict[str, Any]
_NAMESPACE = ("", "Namespace")
_FIRST_NAMESPACES = ("default", "kube-system", "kube-public")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One effect: who did what to which object. `before` or `after` is None where there was or is none."""

    cluster: str
    manager: str
    verb: str  # "apply", "create", "replace", "delete", "edit", "control"
    key: objects.Key
    before: Body | None = field(repr=False)
    after: Body | None = field(repr=False)
    sent: Mapping[str, Any] | None = field(default=None, repr=False)  # what the writer gave


@dataclass(slots=True, kw_only=True)
class Server:
    """Trouble comes in by `deny` (a message of admission, "" = none) and `instead` (another answer, None = none)."""

    name: str
    now: Callable[[], datetime]
    version: str = "v1.36.3"
    ready_after: float = 1.0  # seconds until a workload is available
    established_after: float = 0.2  # until a new kind is served
    broken_images: frozenset[str] = frozenset()
    is_down: bool = False
    unknown_groups: frozenset[str] = frozenset()  # that discovery cannot ask
    deny: Callable[[str, objects.Key, Body], str] = lambda _verb, _key, _body: ""
    instead: Callable[[str, objects.Key], Answer | None] = lambda _verb, _key: None
    on_change: Callable[[Change], None] = lambda _: None
    held: dict[objects.Key, Body] = field(default_factory=dict)
    revision: int = 0
    made: int = 0
    watching: list[sights.Sight] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in _FIRST_NAMESPACES:
            key = objects.Key(group="", kind="Namespace", namespace="", name=name)
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self._store(
                "control",
                "kube-apiserver",
                key,
                ownership.updated(None, body, self._deed("kube-apiserver")),
            )

    @property
    def uid(self) -> str:
        """By which the cluster is known."""
        key = objects.Key(group="", kind="Namespace", namespace="", name="kube-system")
        return str(self.held[key]["metadata"]["uid"])

    def resources(self) -> dict[tuple[str, str], Resource]:
        found = dict(served.BUILT_IN)
        for key, body in self.held.items():
            if (key.group, key.kind) == served.CRD and body.get("status"):
                resource = served.of_definition(body)
                found[resource.group, resource.kind] = resource
        return found

    def read(self, resource: Resource, key: objects.Key) -> Answer:
        fault = self._unserved(resource) or self.instead("read", key)
        if fault is not None:
            return fault
        live = self.held.get(key)
        return Answer(status=Status.DONE, live=copies.of(live)) if live else _absent(key)

    def apply(
        self, manager: str, resource: Resource, body: Mapping[str, Any], *, force: bool,
        dry_run: bool,
    ) -> Answer:  # fmt: skip
        key = _key(resource, body)
        live = self.held.get(key)
        fault = self._refusal("apply", resource, key, body)
        if fault is not None:
            return fault
        merged = ownership.applied(live, body, self._deed(manager), force=force)
        if isinstance(merged, tuple):
            return _conflict(merged)
        return self._finished("apply", manager, key, merged, sent=body, dry_run=dry_run)

    def create(self, manager: str, resource: Resource, body: Mapping[str, Any]) -> Answer:
        key = _key(resource, body)
        fault = self._refusal("create", resource, key, body)
        if fault is not None:
            return fault
        if key in self.held:
            return Answer(status=Status.CONFLICT, message=f"{key} already exists")
        made = ownership.updated(None, body, self._deed(manager))
        return self._finished("create", manager, key, made, sent=body)

    def replace(self, manager: str, resource: Resource, body: Mapping[str, Any]) -> Answer:
        key = _key(resource, body)
        fault = self._refusal("replace", resource, key, body)
        if fault is not None:
            return fault
        live = self.held.get(key)
        if live is None:
            return _absent(key)
        version = body["metadata"].get("resourceVersion", "")
        if version not in ("", live["metadata"]["resourceVersion"]):
            return Answer(
                status=Status.CONFLICT,
                message="the object has been modified; apply your changes to the latest version",
            )
        made = ownership.updated(live, body, self._deed(manager))
        if "status" in live and controllers.kind_has_status(key):
            made["status"] = copies.of(live["status"])
        return self._finished("replace", manager, key, made, sent=body)

    def delete(self, manager: str, resource: Resource, key: objects.Key, *, uid: str) -> Answer:
        fault = self._unserved(resource) or self.instead("delete", key)
        if fault is not None:
            return fault
        live = self.held.get(key)
        if live is None:
            return _absent(key)
        if live["metadata"]["uid"] != uid:
            return Answer(
                status=Status.CONFLICT, message="Precondition failed: UID in precondition differs"
            )
        denied = self.deny("delete", key, live)
        if denied:
            return Answer(status=Status.DENIED, message=denied)
        self._leave(manager, key, live)
        return Answer(status=Status.DONE)

    def edit(
        self, manager: str, key: objects.Key, change: Callable[[Body], None], subresource: str = ""
    ) -> None:
        """A change by hand or by a controller, past every check."""
        live = self.held[key]
        body = copies.of(live)
        change(body)
        deed = ownership.Deed(manager=manager, at=self._at(), subresource=subresource)
        made = ownership.updated(live, body, deed)
        if not ownership.same(live, made):
            self._store("edit", manager, key, made)

    def subscribe(self, sight: sights.Sight) -> list[Body]:
        """The first list; from then on changes go into its queue."""
        self.watching.append(sight)
        found = [body for key, body in sorted(self.held.items()) if sight.covers(key, body)]
        listed: list[Body] = copies.of(found)
        return listed

    def unsubscribe(self, sight: sights.Sight) -> None:
        self.watching = [each for each in self.watching if each is not sight]

    def tear(self) -> None:
        """Every open watch breaks off, as after a restart of the server."""
        for sight in self.watching:
            sight.queue.put_nowait(None)

    def _refusal(
        self, verb: str, resource: Resource, key: objects.Key, body: Mapping[str, Any]
    ) -> Answer | None:
        fault = self._unserved(resource) or self.instead(verb, key) or self._homeless(key)
        if fault is not None:
            return fault
        denied = self.deny(verb, key, dict(body))
        if denied:
            return Answer(status=Status.DENIED, message=denied)
        return self._changed_for_good(key, body, is_patch=verb == "apply")

    def _unserved(self, resource: Resource) -> Answer | None:
        if (resource.group, resource.kind) in self.resources():
            return None
        return Answer(
            status=Status.UNSERVED, message="the server could not find the requested resource"
        )

    def _homeless(self, key: objects.Key) -> Answer | None:
        if not key.namespace:
            return None
        home = self.held.get(_namespace(key.namespace))
        if home is None:
            return Answer(status=Status.INVALID, message=f'namespaces "{key.namespace}" not found')
        if home["metadata"].get("deletionTimestamp") and key not in self.held:
            message = f"unable to create new content in namespace {key.namespace} because it is being terminated"
            return Answer(status=Status.DENIED, message=message)
        return None

    def _changed_for_good(
        self, key: objects.Key, body: Mapping[str, Any], *, is_patch: bool
    ) -> Answer | None:
        live = self.held.get(key)
        for names in served.IMMUTABLE.get((key.group, key.kind), ()) if live else ():
            path = tuple(f"f:{name}" for name in names)
            old, new = ownership.value_at(live, path), ownership.value_at(body, path)
            if old != new and not (is_patch and new is ownership.ABSENT):
                message = f"{'.'.join(names)}: Invalid value: field is immutable"
                return Answer(status=Status.INVALID, message=message)
        return None

    def _finished(
        self,
        verb: str,
        manager: str,
        key: objects.Key,
        made: Body,
        *,
        sent: Mapping[str, Any],
        dry_run: bool = False,
    ) -> Answer:
        live = self.held.get(key)
        if key.namespace:
            made["metadata"]["namespace"] = key.namespace
        served.default(key, made)
        if live is not None:
            made["metadata"] = {**made["metadata"], **_identity(live)}
        if live is not None and ownership.same(live, made):
            return Answer(status=Status.DONE, live=copies.of(live))
        if not dry_run:
            self._store(verb, manager, key, made, sent)
            made = self.held.get(key, made)
        return Answer(status=Status.DONE, live=copies.of(made))

    def _store(
        self,
        verb: str,
        manager: str,
        key: objects.Key,
        body: Body,
        sent: Mapping[str, Any] | None = None,
    ) -> None:
        before = self.held.get(key)
        self.revision += 1
        self._stamp(before, body)
        if body["metadata"].get("deletionTimestamp") and not body["metadata"].get("finalizers"):
            self._drop(manager, key)
            return
        self.held[key] = body
        self._tell(verb, manager, key, before, body, sent)
        if verb != "control":
            self._react(key)

    def _stamp(self, before: Body | None, body: Body) -> None:
        """What the server itself writes into metadata."""
        metadata = body["metadata"]
        metadata["resourceVersion"] = str(self.revision)
        if before is None:
            self.made += 1
            metadata["uid"] = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.name}/{self.made}"))
            metadata["creationTimestamp"] = self._at()
        if "spec" in body:
            is_new = before is None or before.get("spec") != body["spec"]
            generation = before["metadata"].get("generation", 0) if before else 0
            metadata["generation"] = generation + is_new

    def _tell(
        self,
        verb: str,
        manager: str,
        key: objects.Key,
        before: Body | None,
        after: Body | None,
        sent: Mapping[str, Any] | None = None,
    ) -> None:
        for sight in self.watching:
            if sight.covers(key, after):
                sight.queue.put_nowait(Event(type=EventType.CHANGED, live=copies.of(after)))
            elif sight.covers(key, before):
                last = copies.of(after or before or {})
                last["metadata"]["resourceVersion"] = str(self.revision)
                sight.queue.put_nowait(Event(type=EventType.GONE, live=last))
        change = Change(
            cluster=self.name,
            manager=manager,
            verb=verb,
            key=key,
            before=copies.of(before),
            after=copies.of(after),
            sent=sent,
        )
        self.on_change(change)

    def _leave(self, manager: str, key: objects.Key, live: Body) -> None:
        is_namespace = (key.group, key.kind) == _NAMESPACE
        if not live["metadata"].get("finalizers") and not is_namespace:
            self._drop(manager, key)
            return
        body = copies.of(live)
        body["metadata"]["deletionTimestamp"] = self._at()
        if is_namespace:
            body["status"] = {"phase": "Terminating"}
            body["metadata"].setdefault("finalizers", []).append("kubernetes")
            asyncio.get_running_loop().call_later(0.5, self._empty, manager, key.name)
        self._store("delete", manager, key, body)

    def _drop(self, manager: str, key: objects.Key) -> None:
        before = self.held.pop(key)
        self.revision += 1
        self._tell("delete", manager, key, before, None)
        if (key.group, key.kind) == served.CRD:
            gone = served.of_definition(before)
            for each in [k for k in self.held if (k.group, k.kind) == (gone.group, gone.kind)]:
                self._drop("kube-controller-manager", each)

    def _empty(self, manager: str, namespace: str) -> None:
        """What the namespace controller does; what has finalizers keeps the Namespace waiting."""
        for key in [key for key in self.held if key.namespace == namespace]:
            self._leave("kube-controller-manager", key, self.held[key])
        if any(key.namespace == namespace for key in self.held):
            asyncio.get_running_loop().call_later(0.5, self._empty, manager, namespace)
        elif _namespace(namespace) in self.held:
            self._drop(manager, _namespace(namespace))

    def _react(self, key: objects.Key) -> None:
        if not controllers.kind_has_status(key):
            return
        is_definition = (key.group, key.kind) == served.CRD
        delay = self.established_after if is_definition else self.ready_after
        asyncio.get_running_loop().call_later(delay, self._control, key)

    def _control(self, key: objects.Key) -> None:
        live = self.held.get(key)
        status = controllers.status_of(live, self.broken_images) if live else None
        if live is None or status is None or live.get("status") == status:
            return
        deed = ownership.Deed(
            manager="kube-controller-manager", at=self._at(), subresource="status"
        )
        made = ownership.updated(live, {**live, "status": status}, deed)
        self._store("control", deed.manager, key, made)

    def _deed(self, manager: str) -> ownership.Deed:
        return ownership.Deed(manager=manager, at=self._at())

    def _at(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _key(resource: Resource, body: Mapping[str, Any]) -> objects.Key:
    metadata = body["metadata"]
    return objects.Key(
        group=resource.group,
        kind=resource.kind,
        namespace=(metadata.get("namespace") or "default") if resource.namespaced else "",
        name=metadata["name"],
    )


def _namespace(name: str) -> objects.Key:
    return objects.Key(group="", kind="Namespace", namespace="", name=name)


def _absent(key: objects.Key) -> Answer:
    return Answer(status=Status.ABSENT, message=f"{key} not found")


def _conflict(found: tuple[ownership.Conflict, ...]) -> Answer:
    told = [FieldConflict(field=ownership.spelled(e.path), manager=e.manager) for e in found]
    message = f"Apply failed with {len(told)} conflicts"
    return Answer(status=Status.CONFLICT, message=message, conflicts=tuple(told))


_SERVERS_OWN = ("uid", "creationTimestamp", "generation", "resourceVersion", "deletionTimestamp")


def _identity(live: Body) -> Body:
    return {key: live["metadata"][key] for key in _SERVERS_OWN if key in live["metadata"]}
