"""An agent lives beside other people's workloads: what only the hub and people need is not in its memory."""

import subprocess
import sys

import pytest

HEAVY = (
    "typer",
    "rich",
    "pydantic",
    "git",
    "sqlalchemy",
    "jsonschema",
    "yaml",
    "opentelemetry",
    "jinja2",
)
PROGRAM = """
import sys
from fleet.cli import agent_process
print(*(each for each in sys.argv[1:] if each in sys.modules))
"""


@pytest.mark.timeout(60)
def test_running_an_agent_imports_nothing_that_checks_documents_or_keeps_books():
    words = (sys.executable, "-c", PROGRAM, *HEAVY)
    said = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603 - this very Python
    assert said.stdout.split() == []
