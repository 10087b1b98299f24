"""`fleet check` and `fleet render`: what the hub would say and send, on a laptop or in CI."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from fleet.adapters.git import working
from fleet.cli import output, processes, progress, reports, verdicts, wiring
from fleet.judge import judging
from fleet.local import offline
from fleet.model import errors, findings, json_values, names
from fleet.ports import repository, telemetry

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")

Paths = Annotated[
    list[Path],
    typer.Argument(
        help="The fleet repository; with --policies any folder or files, or - for standard input.",
        metavar="[PATH]...",
        show_default=False,
    ),
]
Policies = Annotated[
    list[Path],
    typer.Option(
        "--policies",
        help="Judge plain manifests by the policies in this folder or file; may be given again.",
        metavar="DIR",
    ),
]
Version = Annotated[
    str,
    typer.Option(
        "--kubernetes-version",
        metavar="1.N",
        help="With --policies: whose schemas count; default: the newest that is known.",
    ),
]
Folder = Annotated[Path, typer.Argument(help="The fleet repository.", metavar="[DIR]")]
Rev = Annotated[str, typer.Option("--rev", help="A commit instead of the working tree.")]
Environment = Annotated[
    str,
    typer.Option(
        "--environment",
        "-e",
        help="As this environment's branch; default: the branch that is checked out, else all.",
    ),
]
Base = Annotated[
    str, typer.Option("--base", help="The commit that runs there now: its rules count as well.")
]
Program = Annotated[
    Path | None,
    typer.Option("--kustomize", help="kustomize v5.7.1; default: our own build of it."),
]
Outputs = Annotated[
    list[str],
    typer.Option(
        "--output",
        "-o",
        metavar="FORMAT[=FILE]",
        help=f"{', '.join(reports.FORMATS)}; may be given again; default: text.",
    ),
]


def check(
    paths: Paths = [],  # noqa: B006 - Typer's way to say: none given
    rev: Rev = "",
    environment: Environment = "",
    base: Base = "",
    kustomize: Program = None,
    form: Outputs = [],  # noqa: B006
    policies: Policies = [],  # noqa: B006
    version: Version = "",
) -> None:
    """Run the hub's pipeline with no hub and no cluster: schemas, policies, ownership, the plan.

    As in:

      fleet check                       the working tree, as the branch that is checked out

      fleet check --rev HEAD -e prod    a commit, as prod would see it

      fleet check --base origin/dev     with the rules in force on dev as well

      fleet check -o sarif=check.sarif -o text

      fleet check deploy/ --policies policies/     plain manifests, without a fleet repository
    """
    wanted = reports.targets(form)
    paths = paths or [Path()]
    here = _base(paths)
    with progress.shown() as watched:
        if policies:
            from fleet.cli.commands import folders

            _check_is_tree(rev, base)
            work = folders.check(
                paths,
                policies,
                here=here,
                version=version,
                environment=environment,
                kustomize=kustomize,
                watched=watched,
            )
        else:
            _check_is_fleet(paths, rev, version)
            work = _verdicts(here, rev, environment, base, kustomize, watched)
        found = processes.run(work)
    told = verdicts.report(
        found, prefix=processes.run(working.prefix(here)), edition=wiring.version()
    )
    contents = reports.Contents(
        report=told,
        text=lambda sink: verdicts.text(found, told, sink),
        json=lambda: verdicts.as_json(found, told),
    )
    reports.write(wanted, contents)
    if told.is_refused:
        raise typer.Exit(1)


def _base(paths: Sequence[Path]) -> Path:
    """What paths are shown relative to: the one folder that was asked for, else where we are."""
    return paths[0] if len(paths) == 1 and paths[0].is_dir() else Path()


def _check_is_tree(rev: str, base: str) -> None:
    if rev or base:
        raise errors.InputError("--policies judges files as they are: no --rev, no --base")


def _check_is_fleet(paths: Sequence[Path], rev: str, version: str) -> None:
    """Raises errors.InputError for what is no fleet repository."""
    if len(paths) > 1 or not (paths[0].is_dir() or rev):
        raise errors.InputError(
            f"{' '.join(map(str, paths))} is no folder"
            if len(paths) == 1
            else "one folder, please",
            hint="plain manifests are checked against policies: --policies DIR",
        )
    if version:
        raise errors.InputError(
            "--kubernetes-version is for plain manifests",
            hint="each Cluster document of a fleet says its own",
        )
    is_bare = (paths[0] / "HEAD").is_file()  # it has no files, which others say better
    if not rev and not is_bare and not (paths[0] / "fleet.yaml").exists():
        raise errors.InputError(
            f"there is no fleet.yaml in {paths[0]}",
            hint="plain manifests are checked with --policies DIR; a fleet begins with fleet init",
        )


def render(
    folder: Folder = Path(),
    rev: Rev = "",
    environment: Environment = "",
    cluster: Annotated[str, typer.Option(help="Only this cluster.")] = "",
    kustomize: Program = None,
) -> None:
    """Print the objects that each cluster would get, as one JSON document a line.

    What denies them is said beside them, and the exit code is 1: some may be missing then.

    Example:  fleet render --cluster prod-eu | jq .metadata.name
    """
    verdicts = processes.run(_verdicts(folder, rev, environment, "", kustomize))
    known = {name for verdict in verdicts for name in verdict.judged.manifests}
    if cluster and cluster not in known:
        raise errors.InputError(
            f"no cluster {cluster!r} gets objects: {', '.join(sorted(known)) or 'none does'}"
        )
    for verdict in verdicts:
        for name, share in verdict.judged.manifests.items():
            for each in share if cluster in ("", name) else ():
                typer.echo(json_values.encode(each.body))
    denied = [each for each in offline.merged(verdicts) if findings.refuses([each])]
    output.report(denied, output.Sink.error())
    if denied:
        raise typer.Exit(1)


async def _verdicts(
    folder: Path,
    rev: str,
    environment: str,
    base: str,
    kustomize: Path | None,
    watched: telemetry.Telemetry = telemetry.NOBODY,
) -> tuple[offline.Verdict, ...]:
    if not folder.is_dir():
        raise errors.InputError(f"{folder} is no folder")
    folder = folder.resolve()
    local = working.Local(folder)
    commit = await local.resolve(rev) if rev else working.TREE
    running = await local.resolve(base) if base else None
    tools = wiring.checking(
        folder,
        kustomize,
        needs_kustomize=uses_kustomize(folder),
        watched=watched,
    )
    wanted = await environments(commit, environment, tools, local)
    return tuple([await offline.check_commit(each, commit, running, tools) for each in wanted])


def is_kustomization(path: str) -> bool:
    return path.rpartition("/")[2] in _KUSTOMIZATIONS


async def any_kustomized(
    commits: Iterable[names.CommitId | None], source: repository.Repository
) -> bool:
    """Whether one of these commits, as far as there are any, has a kustomization."""
    listed = [await source.snapshot(commit) for commit in dict.fromkeys(commits) if commit]
    return any(is_kustomization(path) for each in listed for path in each.entries)


def uses_kustomize(folder: Path) -> bool:
    return any(next(folder.rglob(name), None) is not None for name in _KUSTOMIZATIONS)


async def environments(
    commit: names.CommitId, asked: str, tools: judging.Tools, local: working.Local
) -> list[names.Environment]:
    """The one that was asked for; the one whose branch is checked out; else all that have clusters here."""
    if asked:
        return [names.Environment(asked)]
    road = await offline.road_of(commit, tools)
    branch = await local.current_branch()
    here = [step.environment for step in road.steps if step.branch == branch]
    if here:
        return here
    snapshot = await tools.repository.snapshot(commit)
    every = [step.environment for step in road.steps]
    return [e for e in every if next(snapshot.under(f"clusters/{e}"), None)] or every[:1]
