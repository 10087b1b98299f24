"""Rules for Pods that hold for what makes Pods too: Kyverno's autogen, which rewrites expressions as texts.

So do we, at the same places: `object.spec` becomes the template's, but the name and namespace of a ValidatingPolicy's
object stay the controller's own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ANNOTATION = "pod-policies.kyverno.io/autogen-controllers"
_TEMPLATE, _JOB_TEMPLATE = "spec.template", "spec.jobTemplate.spec.template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    kind: str
    group: str
    resource: str
    template: str = _TEMPLATE

    @property
    def in_full(self) -> str:
        return f"{self.group}/v1/{self.kind}" if self.group else f"v1/{self.kind}"


CONTROLLERS = (
    Controller(kind="DaemonSet", group="apps", resource="daemonsets"),
    Controller(kind="Deployment", group="apps", resource="deployments"),
    Controller(kind="Job", group="batch", resource="jobs"),
    Controller(kind="ReplicaSet", group="apps", resource="replicasets"),
    Controller(kind="ReplicationController", group="", resource="replicationcontrollers"),
    Controller(kind="StatefulSet", group="apps", resource="statefulsets"),
    Controller(kind="CronJob", group="batch", resource="cronjobs", template=_JOB_TEMPLATE),
)
NAMES = {_TEMPLATE: "autogen", _JOB_TEMPLATE: "autogen-cronjob"}


def by_template(controllers: list[Controller]) -> dict[str, list[Controller]]:
    found: dict[str, list[Controller]] = {}
    for each in controllers:
        found.setdefault(each.template, []).append(each)
    return found


def moved(value: Any, template: str, *, keeps_names: bool) -> Any:
    """Every text in it with the object's parts exchanged for those of its template."""
    if isinstance(value, str):
        return _moved(value, template, keeps_names=keeps_names)
    if isinstance(value, list):
        return [moved(each, template, keeps_names=keeps_names) for each in value]
    if isinstance(value, Mapping):
        return {key: moved(each, template, keeps_names=keeps_names) for key, each in value.items()}
    return value


_KEPT = r"(?!\.(?:namespace|name)(?![A-Za-z0-9_]))"


def _moved(text: str, template: str, *, keeps_names: bool) -> str:
    kept = _KEPT if keeps_names else ""
    for part in ("spec", "metadata"):
        text = re.sub(rf"(object|oldObject)\.{part}{kept}", rf"\1.{template}.{part}", text)
    return text
