"""A commit's listing is judged before any file of it is read."""

import pytest

import repositories
from fleet.manifests import tree
from fleet.model import snapshots


def messages(*entries: snapshots.Entry | str, **limits: int) -> list[str]:
    found = tree.check(repositories.snapshot(*entries), tree.Limits(**limits))
    return [f"{each.place}: {each.message}" for each in found]


def test_ordinary_files_are_fine():
    script = repositories.entry("apps/a/run.sh", mode=snapshots.EXECUTABLE)
    assert (
        messages("fleet.yaml", "apps/a/größe 1.yaml", ".gitignore", ".github/a.yml", script) == []
    )


@pytest.mark.threat(1)
def test_a_symbolic_link_is_refused_by_its_mode():
    link = repositories.entry("apps/a.yaml", b"/etc/passwd", mode=snapshots.SYMLINK)
    assert messages(link) == ["apps/a.yaml: a symbolic link, which fleet does not follow"]


@pytest.mark.threat(3)
def test_a_submodule_is_refused_by_its_mode():
    module = repositories.entry("vendor", mode=snapshots.SUBMODULE)
    assert messages(module, ".gitmodules") == [
        "vendor: a submodule, which fleet does not follow",
        ".gitmodules: its name is one that git keeps for itself",
    ]


def test_a_mode_that_nobody_knows_is_refused():
    assert messages(repositories.entry("a", mode=0o100664)) == ["a: file mode 100664 is unknown"]


@pytest.mark.threat(2)
@pytest.mark.parametrize(
    "path", ["../a", "a/../b", "/etc/a", "a//b", "a/./b", ".", "..", "a\\..\\b", "a/", ""]
)
def test_a_path_that_leads_elsewhere_is_refused(path: str):
    (found,) = messages(path)
    assert found.endswith("its name leads elsewhere") or path == ""


@pytest.mark.threat(2)
@pytest.mark.parametrize(
    "name", [".git", ".GIT", "GIT~1", "git~1", ".git.", ".Git ", ".gitmodules"]
)
def test_names_that_some_system_takes_for_git_s_own_are_refused(name: str):
    (found,) = messages(f"apps/{name}/config")
    assert found.endswith("its name is one that git keeps for itself")


@pytest.mark.threat(31)
@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("apps/a\nb.yaml", "apps/a\\nb.yaml"),
        ("apps/a\x1b[31mb", "apps/a\\x1b[31mb"),
        ("apps/\u202eb", "apps/\\u202eb"),
        ("apps/a\u200bb", "apps/a\\u200bb"),
        ("apps/a\x00b", "apps/a\\x00b"),
    ],
)
def test_a_name_that_cannot_be_seen_is_refused_and_spelled_out(path: str, shown: str):
    assert messages(path) == [f"{shown}: its name has characters that cannot be seen"]


@pytest.mark.threat(31)
def test_a_name_that_is_not_utf_8_is_refused_and_spelled_out():
    path = b"apps/\xff\xfe.yaml".decode("utf-8", "surrogateescape")
    assert messages(path) == ["apps/\\udcff\\udcfe.yaml: its name is not UTF-8"]


@pytest.mark.threat(4)
def test_a_name_that_looks_like_an_option_is_a_name():
    assert messages("--upload-pack=evil", "apps/-rf") == []


@pytest.mark.threat(32)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("apps/Web.yaml", "apps/web.yaml"),
        ("apps/caf\u00e9.yaml", "apps/cafe\u0301.yaml"),
        ("apps/stra\u00dfe", "apps/STRASSE"),
        ("Apps/a", "apps/a"),
    ],
)
def test_paths_equal_but_for_case_or_accents_are_refused(one: str, other: str):
    (found,) = messages(one, other)
    assert found == f"{other}: equal to {one} but for case or accents"


@pytest.mark.threat(6)
def test_sizes_are_judged_from_the_listing():
    big = repositories.entry("apps/big", size=100 << 20)
    assert messages(big) == [f"apps/big: {100 << 20} bytes; at most {8 << 20} are read"]


@pytest.mark.threat(6)
def test_many_middling_files_are_too_much_together():
    files = [repositories.entry(f"a/{i}", size=60) for i in range(3)]
    assert messages(*files, total_size=150) == [".: 180 bytes; at most 150 are read"]


@pytest.mark.threat(6)
def test_too_many_files_are_one_finding():
    assert messages(*[f"a/{i}" for i in range(11)], files=10) == [
        ".: 11 files; at most 10 are read"
    ]


@pytest.mark.threat(6)
def test_a_path_that_is_too_deep_or_too_long_is_refused():
    assert messages("/".join("a" * 33)) == [
        f"{'/'.join('a' * 33)}: its path is too long or too deep"
    ]
    assert messages("/".join("a" * 32)) == []
    assert "too long" in messages("a" * 1025)[0]


@pytest.mark.threat(1)
def test_everything_that_is_wrong_is_said_at_once():
    link = repositories.entry("a\nb", mode=snapshots.SYMLINK, size=9 << 20)
    assert len(messages(link, "A\nB")) == 5


@pytest.mark.threat(1)
def test_each_finding_says_what_to_do():
    link = repositories.entry("a", mode=snapshots.SYMLINK)
    found = tree.check(repositories.snapshot(link, "A", "b\n"))
    assert all(each.hint and each.rule == "tree" for each in found)
