"""How values become text in reports, so that nothing in it leads a terminal, a reader or a CI server astray."""

import json as library
import re
from typing import Any

# What a CI server takes for a command wherever in a line it stands: Azure Pipelines', TeamCity's, GitHub's older one.
_ANYWHERE = re.compile(r"##(?=\w*\[)")


def json(value: Any) -> str:
    """In ASCII alone."""
    return library.dumps(value, ensure_ascii=True, separators=(",", ":"))


def yaml(value: Any) -> str:
    """JSON that YAML readers read alike: they know no pairs of surrogates. Texts are printable already."""
    return library.dumps(value, ensure_ascii=False, separators=(",", ":"))


def quiet(text: str) -> str:
    """Without what a CI server takes for a command wherever it stands."""
    return _ANYWHERE.sub(r"#\\x23", text)


def harmless(line: str) -> str:
    """A line of a log that no CI server takes for a command; GitHub's begin with `::`."""
    found = quiet(line)
    return f"./{found}" if found.lstrip().startswith("::") else found
