"""IANA time zones as the `tzdata` package has them: the same on every machine, whatever its system says."""

import functools
import importlib.resources
import zoneinfo


@functools.cache
def known() -> frozenset[str]:
    listed = importlib.resources.files("tzdata").joinpath("zones").read_text()
    return frozenset(listed.split())


@functools.lru_cache(maxsize=1024)
def zone(name: str) -> zoneinfo.ZoneInfo | None:
    """None for a name that is none; only known names are ever made into a path."""
    if name not in known():
        return None
    place = importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with place.open("rb") as data:
        return zoneinfo.ZoneInfo.from_file(data, key=name)
