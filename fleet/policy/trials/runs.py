"""All the tests of a folder, whoever's form they are in."""

from collections.abc import Iterator

from fleet.manifests import declared
from fleet.model import findings
from fleet.policy.trials import cases, gatekeeper_suites, kyverno_tests, own_examples, samples


def run(files: samples.Files) -> cases.Report:
    """No cases = there are no tests."""
    return cases.merged(_reports(files))


def _reports(files: samples.Files) -> Iterator[cases.Report]:
    for folder in own_examples.folders(files):
        yield own_examples.run(folder, files)
    for path in sorted(files):
        name = path.rpartition("/")[2]
        if name in kyverno_tests.NAMES or name in gatekeeper_suites.NAMES:
            yield from _of_file(path, files)


def _of_file(path: str, files: samples.Files) -> Iterator[cases.Report]:
    read = samples.read([path], files)
    yield cases.Report(cases=tuple(map(_broken, read.broken)))
    for each in read.documents:
        yield _of_document(each, files)


def _broken(finding: findings.Finding) -> cases.Case:
    return cases.Case(
        place=finding.place, name="file", state=cases.State.FAILED, message=finding.message
    )


def _of_document(written: declared.Rule, files: samples.Files) -> cases.Report:
    if kyverno_tests.is_test(written.value):
        return kyverno_tests.run(written, files)
    if gatekeeper_suites.is_suite(written.value):
        return gatekeeper_suites.run(written, files)
    return cases.Report()
