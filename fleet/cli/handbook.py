"""`make docs`: docs/policies.md from what lies in policies/, the classes in docs/promotion.md from their tables."""

import re
import sys
from pathlib import Path

import fleet
from fleet.cli import output
from fleet.gate import classes, residuals
from fleet.manifests import declared, parse
from fleet.model import errors, names, objects
from fleet.policy import handbook, policies

_ROOT = Path(fleet.__file__).parent.parent
_BLOB = names.BlobId("0" * 40)
_CLASSES = re.compile(r"<!-- classes -->.*?## Commands", re.DOTALL)
_RESIDUALS = re.compile(r"<!-- residuals -->.*?<!-- end -->", re.DOTALL)
_TITLE = "The ready policies"
_PREFACE = """
`fleet init` puts them into a new repository, each in a folder of its own under `policies/`: plain
ValidatingAdmissionPolicies that Kubernetes 1.30 and newer enforces as well. Change them there: what a binding does
(`Deny`, `Warn`, `Audit`), where it counts (`fleetgate.dev/environments`), or leave out a folder. Examples lie beside
each, in `tests/good` and `tests/bad`.

This page is written by `make docs` from the policies' own annotations: `fleetgate.dev/title`, `category`, `severity`
(critical, high, medium, low, info), `why`, `links` and `hint`. Reports for people show them beside each finding.
"""


def main() -> int:
    try:
        (_ROOT / "docs" / "policies.md").write_text(text(_ROOT / "policies"), "utf-8")
        about = _ROOT / "docs" / "promotion.md"
        about.write_text(with_classes(about.read_text("utf-8")), "utf-8")
    except errors.FleetError as error:
        output.fault(error)
        return 2
    return 0


def with_classes(page: str) -> str:
    """The page with the tables of lineage classes and residuals as the code has them."""
    rows = [
        f"| {kind.value} | {row.state.value} | {row.meaning} |"
        for kind, row in classes.CLASSES.items()
    ]
    table = "\n".join(["| class | the commit is | what it is |", "|---|---|---|", *rows])
    drawn = re.sub(_CLASSES, lambda _: f"<!-- classes -->\n\n{table}\n\n## Commands", page)
    return re.sub(
        _RESIDUALS, lambda _: f"<!-- residuals -->\n\n{_residuals()}\n\n<!-- end -->", drawn
    )


def _residuals() -> str:
    rows = [
        f"| {kind.value} | {row.meaning} | {row.mend.format(here='ENV', upstream='UPSTREAM')} |"
        for kind, row in residuals.RESIDUALS.items()
    ]
    return "\n".join(["| class | what it is | next |", "|---|---|---|", *rows])


def text(folder: Path) -> str:
    """The page about the policies of a folder."""
    rules = (each for path in sorted(folder.glob("*/*.yaml")) for each in _rules(path))
    book = policies.parse(rules)
    for each in book.findings:
        raise errors.InputError(f"{each.place}: {each.message}")
    examples = {name: _examples(folder / name / "tests") for name in book.policies}
    return handbook.page(book, examples, _TITLE, _PREFACE)


def _rules(path: Path) -> list[declared.Rule]:
    parsed = parse.documents(path.read_bytes(), str(path), _BLOB)
    for each in parsed.findings:
        raise errors.InputError(f"{each.place}: {each.message}")
    return [
        declared.Rule(
            value=each.value,
            source=objects.Source(path=str(path), line=each.line, blob=_BLOB, index=each.index),
        )
        for each in parsed.documents
    ]


def _examples(tests: Path) -> handbook.Examples:
    return handbook.Examples(good=_first(tests / "good"), bad=_first(tests / "bad"))


def _first(folder: Path) -> str:
    return handbook.first({p.name: p.read_text("utf-8") for p in folder.glob("*.yaml")})


if __name__ == "__main__":
    sys.exit(main())
