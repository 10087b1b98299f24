"""Why a path differs from upstream: by the forms that it had, in words as short as "abc"."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fleet.gate import residuals

BEHIND, AHEAD, HOTFIX, REVERTED, UNKNOWN = residuals.Residual

# What upstream's releases had, what the own ones had, in order: the last is what runs. A dot is no file.
CASES: dict[str, tuple[str, str, residuals.Residual]] = {
    "upstream moved on": ("ab", "a", BEHIND),
    "upstream moved on twice": ("abc", "ab", BEHIND),
    "a new file": (".a", ".", BEHIND),
    "a file that is gone": ("a.", "a", BEHIND),
    "one was skipped, and upstream moved on": ("abcd", "ac", BEHIND),
    "upstream went back": ("aba", "ab", AHEAD),
    "upstream went back far": ("abca", "ac", AHEAD),
    "upstream went back, and on": ("abac", "ab", BEHIND),
    "went back": ("ab", "aba", REVERTED),
    "went back further": ("abc", "abca", REVERTED),
    "went back, and upstream moved on": ("abc", "aba", BEHIND),
    "a new file was taken away again": (".a", ".a.", REVERTED),
    "went back to what was here before upstream": ("b", "xbx", REVERTED),
    "nobody knows it": ("ab", "ax", UNKNOWN),
    "of an environment that was adopted": ("a", "x", UNKNOWN),
    "changed after all": ("b", "bx", UNKNOWN),
}


def told(upstream: str, own: str, fixed: str | None = None) -> residuals.Residual:
    theirs, ours = ([each.strip(".") for each in word] for word in (upstream, own))
    path = residuals.Path(here=ours[-1], above=theirs[-1], own=ours, upstream=theirs, fixed=fixed)
    return residuals.classify(path)


@pytest.mark.parametrize(("upstream", "own", "expected"), CASES.values(), ids=CASES)
def test_each_class(upstream: str, own: str, expected: residuals.Residual):
    assert told(upstream, own) is expected


def test_an_open_hotfix_is_one_whatever_upstream_did():
    assert told("a", "ax", fixed="x") is HOTFIX
    assert told("abx.", "ax", fixed="x") is HOTFIX
    assert told("ab", "a", fixed="x") is BEHIND


def test_every_class_is_met_and_has_its_row():
    met = {expected for _, _, expected in CASES.values()} | {HOTFIX}
    assert met == set(residuals.Residual) == set(residuals.RESIDUALS)


WORDS = some.text("ab.x", min_size=1, max_size=6)


@given(WORDS, WORDS)
def test_a_form_that_upstream_had_is_never_unknown(upstream: str, own: str):
    if upstream[-1] != own[-1]:
        assert (told(upstream, own) is UNKNOWN) <= (own[-1] not in upstream)


@given(WORDS, WORDS)
def test_what_never_went_back_is_never_reverted(upstream: str, own: str):
    if upstream[-1] != own[-1] and upstream[-1] not in own:
        assert told(upstream, own) is not REVERTED
