"""`fleet init`: a working starter repository, a branch for each environment."""

from pathlib import Path
from typing import Annotated

import typer

import fleet
from fleet.adapters.git import planting
from fleet.cli import output, processes, settings
from fleet.model import errors, names

ENVIRONMENTS = ("dev", "staging", "prod")
_README = """# Our fleet

One branch is the whole truth of one environment: dev -> staging -> prod. See docs/repository.md of fleet.

    fleet check                        # what the hub would say
    fleet promote dev staging          # show what would change, then push the merge
    fleet agent enroll --help          # a Cluster document to commit under clusters/ENVIRONMENT/
"""
_FLEET = """apiVersion: fleetgate.dev/v1alpha1
kind: Fleet
metadata:
  name: {name}
spec:
  environments:
    - name: dev
    - name: staging
    - name: prod
"""


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
) -> None:
    """Write a fleet repository with three branches, an app and the ready policies.

    Example:  fleet init our-fleet && cd our-fleet && fleet check
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise errors.InputError(f"{folder} is there already and not empty")
    name = folder.resolve().name.lower()
    shared = starter(name if names.is_label(name) else "our-fleet")
    owned = {each: _owned(each) for each in ENVIRONMENTS}
    processes.run(planting.plant(folder, shared, owned, settings.read().environment))
    output.say(f"{folder}: branches {', '.join(ENVIRONMENTS)}, on {ENVIRONMENTS[0]} now", "green")
    output.say(
        f"next: cd {folder} && fleet check; then enroll a cluster: fleet agent enroll --help"
    )


def starter(name: str) -> dict[str, bytes]:
    """The shared files of a new fleet, by path."""
    root = _root()
    found = {"fleet.yaml": _FLEET.format(name=name).encode(), "README.md": _README.encode()}
    for path in sorted((root / "policies").rglob("*")):
        if path.is_file():
            found[path.relative_to(root).as_posix()] = path.read_bytes()
    for path in sorted((root / "deploy" / "apps").rglob("*")):
        if path.is_file():
            found[path.relative_to(root / "deploy").as_posix()] = path.read_bytes()
    return found


def _owned(environment: str) -> dict[str, bytes]:
    clusters = f"Clusters of {environment}, as `fleet agent enroll` prints them.\n"
    own = f"What belongs to {environment} alone: values, permits, waivers, policies.\n"
    return {
        f"clusters/{environment}/README.md": clusters.encode(),
        f"environments/{environment}/README.md": own.encode(),
    }


def _root() -> Path:
    """Where the ready policies and the example app are: beside the package, or packed into it."""
    package = Path(fleet.__file__).parent
    packed = package / "starter"
    return packed if packed.is_dir() else package.parent
