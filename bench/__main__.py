"""Runs the measurements that are named, or all of them."""

import importlib
import sys

from bench import results

ALL = ("checking", "previewing", "policies", "gating", "lineage", "applying", "steady")


def main() -> None:
    named = sys.argv[1:] or list(ALL)
    report = results.Report(" ".join(("python -m bench", *sys.argv[1:])))
    for name in named:
        if name not in ALL:
            raise SystemExit(f"there is no measurement {name!r}: {', '.join(ALL)}")
        importlib.import_module(f"bench.{name}").run(report)
        report.write()


main()
