"""What is wrong with the gates that fleet.yaml asks for, beyond its form: zones, recurrences, names that are none."""

from collections import Counter
from collections.abc import Iterable, Iterator

from fleet.manifests import recurrences
from fleet.model import kinds

Fault = tuple[tuple[str, ...], str]  # the field, and what to say


def faults(fleet: kinds.Fleet) -> Iterator[Fault]:
    for index, each in enumerate(fleet.spec.environments):
        where = ("spec", "environments", str(index), "gates")
        for field, message in (*_windows(each), *_twins(each)):
            yield (*where, *field), message


def _windows(environment: kinds.EnvironmentSpec) -> Iterator[Fault]:
    waves = {each.name for each in environment.waves}
    for index, window in enumerate(environment.gates.windows):
        where = ("windows", str(index))
        for field, message in recurrences.faults(recurrences.form_of(window)):
            yield (*where, field), f"window {window.name}: {message}"
        for number, wave in enumerate(window.waves):
            if wave not in waves:
                message = f"window {window.name}: {environment.name} declares no wave {wave}"
                yield (*where, "waves", str(number)), message


def _twins(environment: kinds.EnvironmentSpec) -> Iterator[Fault]:
    """Two of one name could not be told apart in what a gate says."""
    gates = environment.gates
    listed: tuple[tuple[str, Iterable[str]], ...] = (
        ("windows", (each.name for each in gates.windows)),
        ("metrics", (each.name for each in gates.metrics)),
        ("statuses", (f"{each.issuer}/{each.context}" for each in gates.statuses)),
    )
    for field, names in listed:
        for name, count in Counter(names).items():
            if count > 1:
                yield (field,), f"{name} is there {count} times"
