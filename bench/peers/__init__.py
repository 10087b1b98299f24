"""The tools that people use today, built from their Go modules into the cache folder, and fed with the same rules.

One go.mod holds all but kyverno: each is built with the newest version of a module that any of them asks for, so gator
runs a later OPA than its own release does. kyverno needs a module of its own, since it replaces one of Kubernetes', and
twenty minutes of building, once. kube-linter does not build with this Go and is left out.
"""

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import processes
from fleet.adapters import schemas
from fleet.cli import settings
from fleet.lab import toolchain
from fleet.manifests import parse
from fleet.model import names

FOLDER = Path(__file__).parent
PROGRAMS: Mapping[str, str] = {
    "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform",
    "conftest": "github.com/open-policy-agent/conftest",
    "gator": "github.com/open-policy-agent/gatekeeper/v3/cmd/gator",
    "kyverno": "github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno",
}
MOST: Mapping[str, int] = {
    "kyverno": 300
}  # manifests, of one that would take many minutes for all
RULES = FOLDER / "rules.rego"
_STRICT = "https://json-schema.org/draft/2020-12/schema"
_GVK = "x-kubernetes-group-version-kind"


def build(name: str) -> Path | None:
    """The program; None where it does not build, which is said."""
    own = FOLDER / name
    folder = own if own.is_dir() else FOLDER
    recipe = (folder / "go.mod").read_bytes() + (folder / "go.sum").read_bytes()
    found = settings.read()
    place = found.cache / "peers" / hashlib.sha256(recipe).hexdigest()[:16]
    if not (place / name).exists():
        go = toolchain.find(found.cache, print, found.environment)
        words = (
            "build",
            "-trimpath",
            "-ldflags",
            "-s -w",
            "-o",
            f"{place / name}",
            PROGRAMS[name],
        )
        done = subprocess.run(
            ["nice", "-n", "19", go.program, *words],  # noqa: S607 - of the machine
            cwd=folder,
            env=dict(go.environment),
            check=False,
        )
        if done.returncode != 0:
            print(f"{name} does not build and is left out")
            return None
    return place / name


def command(name: str, program: Path, manifests: Path, ground: Path) -> tuple[str, ...]:
    """How each is asked about a folder of manifests; `ground` holds what `prepare` wrote."""
    workers = str(len(os.sched_getaffinity(0)))
    words = {
        "kubeconform": (
            "-strict", "-n", workers, "-summary",
            "-schema-location", f"{ground}/schemas/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
        ),
        "conftest": ("test", "--policy", str(RULES), "--output", "json"),
        "gator": ("test", "-f", f"{ground}/templates.yaml", "-f"),
        "kyverno": ("apply", *map(str, sorted(ground.glob("kyverno-*.yaml"))), "--resource"),
    }  # fmt: skip
    return (str(program), *words[name], str(manifests))


async def prepare(ground: Path, policies: Path, version: str) -> int:
    """Schemas as kubeconform wants them, rules as Gatekeeper wants them; how many rules those are."""
    definitions = await schemas.Packaged().definitions(version) or {}
    (ground / "schemas").mkdir(parents=True)
    for root in definitions.values():
        for kind in root.get(_GVK, ()):
            parts = (kind["kind"].lower(), kind["group"].partition(".")[0], kind["version"])
            whole = {"$schema": _STRICT, **root, "$defs": _closure(root, definitions)}
            file = ground / "schemas" / f"{'-'.join(each for each in parts if each)}.json"
            file.write_text(json.dumps(whole))
    documents: list[dict[str, Any]] = []
    for path in policies.glob("*/policy.yaml"):
        converted = _template(path)
        if converted:
            documents += converted
            (ground / f"kyverno-{path.parent.name}.yaml").write_bytes(path.read_bytes())
    (ground / "templates.yaml").write_text("\n---\n".join(json.dumps(each) for each in documents))
    return len(documents) // 2


def _closure(root: Any, definitions: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    text = json.dumps(root)
    waiting = [name for name in definitions if f'"#/$defs/{name}"' in text]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = definitions[name]
            inner = json.dumps(definitions[name])
            waiting += [each for each in definitions if f'"#/$defs/{each}"' in inner]
    return found


def _template(path: Path) -> list[dict[str, Any]]:
    """A policy of ours as a ConstraintTemplate with a constraint; none for one with parameters."""
    read = parse.documents(path.read_bytes(), str(path), names.BlobId(""))
    policy = next(
        e.value for e in read.documents if e.value["kind"] == "ValidatingAdmissionPolicy"
    )
    spec = policy["spec"]
    if "paramKind" in spec or "namespaceSelector" in spec["matchConstraints"]:
        return []
    kind = "".join(word.capitalize() for word in policy["metadata"]["name"].split("-"))
    source = {
        key: spec[key] for key in ("variables", "validations", "matchConditions") if key in spec
    }
    code = [{"engine": "K8sNativeValidation", "source": source}]
    return [
        {
            "apiVersion": "templates.gatekeeper.sh/v1",
            "kind": "ConstraintTemplate",
            "metadata": {"name": kind.lower()},
            "spec": {
                "crd": {"spec": {"names": {"kind": kind}}},
                "targets": [{"target": "admission.k8s.gatekeeper.sh", "code": code}],
            },
        },
        {
            "apiVersion": "constraints.gatekeeper.sh/v1beta1",
            "kind": kind,
            "metadata": {"name": kind.lower()},
            "spec": {"match": {"kinds": [{"apiGroups": ["apps"], "kinds": ["Deployment"]}]}},
        },
    ]


def run(name: str, words: tuple[str, ...]) -> processes.Used:
    used = processes.run(words)
    if used.code not in (0, 1):
        raise SystemExit(f"{name} failed: {used.code}\n{used.out[-2000:]}")
    return used
