"""Repositories for tests: listings in memory, and real ones made by the git program."""

import hashlib
import json
import os
import subprocess
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.manifests import declared, layout, parse
from fleet.model import names, snapshots

DEV = layout.Layout(environment=names.Environment("dev"), owned=layout.OWNED)
COMMIT = names.CommitId("c" * 40)
PERSON = {
    "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip

FLEET = """
apiVersion: fleetgate.dev/v1alpha1
kind: Fleet
metadata: {name: example}
spec:
  environments:
  - name: dev
  - name: prod
"""


def text(written: str) -> bytes:
    return textwrap.dedent(written).lstrip("\n").encode()


def blob(data: bytes) -> names.BlobId:
    head = b"blob %d\0" % len(data)
    return names.BlobId(hashlib.sha1(head + data, usedforsecurity=False).hexdigest())


def entry(path: str, data: bytes = b"", mode: int = snapshots.FILE, size: int | None = None):
    length = len(data) if size is None else size
    return snapshots.Entry(path=path, mode=mode, blob=blob(data), size=length)


def snapshot(*entries: snapshots.Entry | str) -> snapshots.Snapshot:
    listed = [entry(each) if isinstance(each, str) else each for each in entries]
    return snapshots.Snapshot(commit=COMMIT, entries={each.path: each for each in listed})


def parsed(written: str | bytes, path: str = "a.yaml") -> parse.Parsed:
    data = written if isinstance(written, bytes) else text(written)
    return parse.documents(data, path, blob(data))


def read(files: Mapping[str, str], where: layout.Layout = DEV) -> declared.Declared:
    return declared.read([parsed(data, path) for path, data in files.items()], where)


def cluster_text(name: str = "dev-1", labels: str = "{}", more: str = "") -> str:
    key, proof = "A" * 43 + "=", "A" * 86 + "=="
    return f"""
apiVersion: fleetgate.dev/v1alpha1
kind: Cluster
metadata: {{name: {name}, labels: {labels}}}
spec:
  uid: uid-of-{name}
  publicKey: {key}
  proof: {proof}
  kubernetesVersion: "1.36"
{textwrap.indent(textwrap.dedent(more).strip(), "  ")}
"""


def bundle_text(name: str = "web", spec: str = "{}") -> str:
    kind = "apiVersion: fleetgate.dev/v1alpha1\nkind: Bundle"
    return f"{kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def config_map(name: str = "web", namespace: str = "shop", word: str = "hello") -> str:
    metadata = f"{{name: {name}, namespace: {namespace}}}"
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\ndata: {{word: '{word}'}}\n"


def waiver_text(name: str = "legacy", **spec: Any) -> str:
    """For whatever `rule` finds of ConfigMap shop/web, until the end of January 2026, unless `spec` says otherwise."""
    defaults: dict[str, Any] = {
        "rules": ["rule"],
        "objects": [{"kind": "ConfigMap", "namespace": "shop", "name": "web"}],
        "owner": "team-shop",
        "reason": "moves out in spring",
        "ticket": "OPS-1",
        "expires": "2026-02-01",
    }
    document = {
        "apiVersion": "fleetgate.dev/v1alpha1",
        "kind": "Waiver",
        "metadata": {"name": name},
        "spec": {k: v for k, v in {**defaults, **spec}.items() if v is not None},
    }
    return json.dumps(document, indent=1) + "\n"


class Git:
    """A repository with a working tree, driven by the git program as a person would."""

    def __init__(self, folder: Path, branch: str = "dev") -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.run("init", "--quiet", f"--initial-branch={branch}")

    def run(self, *words: str, given: bytes = b"", **environment: str) -> str:
        done = subprocess.run(  # noqa: S603 - as a person would
            ["git", *words],  # noqa: S607
            cwd=self.folder,
            env={**os.environ, **PERSON, **environment},
            input=given,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """None deletes."""
        for path, written in files.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if written is None:
                file.unlink()
            else:
                file.write_bytes(written if isinstance(written, bytes) else written.encode())

    def commit(
        self, files: Mapping[str, str | bytes | None] | None = None, message: str = "a change"
    ) -> names.CommitId:
        self.write(files or {})
        self.run("add", "--all")
        self.run("commit", "--quiet", "--allow-empty", "-m", message)
        return self.tip()

    def commit_raw(self, *lines: tuple[str, str, str]) -> names.CommitId:
        """A commit of (mode, object id, path) that no working tree could hold."""
        listed = b"".join(
            os.fsencode(f"{mode} {oid}\t{path}") + b"\0" for mode, oid, path in lines
        )
        self.run("update-index", "-z", "--index-info", given=listed)
        tree = self.run("write-tree")
        return names.CommitId(self.run("commit-tree", tree, "-m", "raw"))

    def blob(self, data: bytes) -> str:
        return self.run("hash-object", "-w", "--stdin", given=data)

    def tip(self, revision: str = "HEAD") -> names.CommitId:
        return names.CommitId(self.run("rev-parse", revision))
