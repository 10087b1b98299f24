"""Parts of the repository, and the ids that stand for them."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import repositories
from fleet.manifests import layout
from fleet.model import names, snapshots

OWNED = (*layout.OWNED, "config/{environment}", "values-{environment}.yaml")
DEV = layout.Layout(environment=names.Environment("dev"), owned=OWNED)

FILES = {
    "fleet.yaml": "road",
    "policies/a.yaml": "rule",
    "policies/latest/tests/bad.yaml": "example",
    "schemas/crd.yaml": "crd",
    "apps/web/a.yaml": "web",
    "clusters/dev/1.yaml": "mine",
    "clusters/prod/1.yaml": "theirs",
    "environments/dev/policies/p.yaml": "my rule",
}


def listing(files: dict[str, str], mode: int = snapshots.FILE) -> snapshots.Snapshot:
    entries = (repositories.entry(p, data.encode(), mode) for p, data in files.items())
    return repositories.snapshot(*entries)


def ids(files: dict[str, str], where: layout.Layout = DEV, **options: int) -> layout.Ids:
    digests = {
        repositories.blob(data.encode()): hashlib.sha256(data.encode()).hexdigest()
        for data in files.values()
    }
    return layout.ids(listing(files, **options), where, digests)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("fleet.yaml", layout.Part.RULES),
        ("apps/fleet.yaml", layout.Part.CONTENT),
        ("policies/a.yaml", layout.Part.RULES),
        ("policies/latest/policy.yaml", layout.Part.RULES),
        ("policies/latest/tests/good.yaml", layout.Part.CONTENT),
        ("policies/kyverno/latest/.kyverno-test/resource.yaml", layout.Part.CONTENT),
        ("policies/latest/.chainsaw-test/policy-ready.yaml", layout.Part.CONTENT),
        ("policies/kyverno-test/policy.yaml", layout.Part.RULES),
        ("policies", layout.Part.CONTENT),
        ("apps/policies/a.yaml", layout.Part.CONTENT),
        ("schemas/a.yaml", layout.Part.RULES),
        ("README.md", layout.Part.CONTENT),
        ("clusters/README.md", layout.Part.CONTENT),
        ("clusters/dev/1.yaml", layout.Part.OWNED),
        ("clusters/dev/a/b/1.yaml", layout.Part.OWNED),
        ("clusters/dev-2/1.yaml", layout.Part.INERT),
        ("clusters/prod/1.yaml", layout.Part.INERT),
        ("clusters/what-ever/1.yaml", layout.Part.INERT),
        ("clusters/NotAnEnvironment/1.yaml", layout.Part.INERT),
        ("environments/dev/values.yaml", layout.Part.OWNED),
        ("environments/prod/policies/p.yaml", layout.Part.INERT),
        ("trust/dev/1.json", layout.Part.OWNED),
        ("trust/prod/1.json", layout.Part.INERT),
        ("apps/clusters/dev/1.yaml", layout.Part.CONTENT),
        ("config/dev/a", layout.Part.OWNED),
        ("config/prod/a", layout.Part.INERT),
        ("values-dev.yaml", layout.Part.OWNED),
        ("values-prod.yaml", layout.Part.INERT),
        ("values-dev.yaml.bak", layout.Part.CONTENT),
    ],
)
def test_each_path_has_its_part(path: str, part: layout.Part):
    assert DEV.part(path) is part


@pytest.mark.threat(31)
@pytest.mark.parametrize("folder", ["clusters/dev", "environments/dev", "config/dev"])
def test_a_line_end_in_a_name_does_not_hide_a_file_of_ours(folder: str):
    assert DEV.part(f"{folder}/a\nb.yaml") is layout.Part.OWNED


def test_shared_is_content_and_rules():
    shared = [path for path in FILES if DEV.is_shared(path)]
    assert shared == [
        "fleet.yaml", "policies/a.yaml", "policies/latest/tests/bad.yaml",
        "schemas/crd.yaml", "apps/web/a.yaml",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("apps/web/a.yaml", {"content"}),
        ("policies/latest/tests/bad.yaml", {"content"}),
        ("fleet.yaml", {"rules"}),
        ("policies/a.yaml", {"rules"}),
        ("schemas/crd.yaml", {"rules"}),
        ("clusters/dev/1.yaml", {"owned"}),
        ("environments/dev/policies/p.yaml", {"owned"}),
        ("clusters/prod/1.yaml", set()),
    ],
)
def test_a_change_changes_the_id_of_its_part_alone(path: str, changed: set[str]):
    before = ids(FILES)
    for after in (
        ids({**FILES, path: "other"}),
        ids({p: d for p, d in FILES.items() if p != path}),
    ):
        differing = {
            f for f in ("content", "rules", "owned") if getattr(before, f) != getattr(after, f)
        }
        assert differing == changed


def test_the_mode_of_a_file_is_part_of_it():
    one, other = ids(FILES), ids(FILES, mode=snapshots.EXECUTABLE)
    assert (one.content, one.rules, one.owned) != (other.content, other.rules, other.owned)
    assert one.content != other.content


def test_a_move_changes_the_id_and_the_order_of_a_listing_does_not():
    moved = {("apps/web/b.yaml" if p == "apps/web/a.yaml" else p): d for p, d in FILES.items()}
    assert ids(moved).content != ids(FILES).content
    assert ids(dict(reversed(FILES.items()))) == ids(FILES)


def test_two_environments_have_the_same_content_and_rules_but_not_the_same_own():
    prod = layout.Layout(environment=names.Environment("prod"), owned=OWNED)
    assert ids(FILES, prod).content == ids(FILES).content
    assert ids(FILES, prod).rules == ids(FILES).rules
    assert ids(FILES, prod).owned != ids(FILES).owned


@pytest.mark.threat(35)
def test_an_id_is_made_of_bytes_and_not_of_git_s_names_for_them():
    same = repositories.blob(b"one")
    entries = repositories.snapshot(
        snapshots.Entry(path="apps/a", mode=snapshots.FILE, blob=same, size=3)
    )
    found = {layout.ids(entries, DEV, {same: digest}).content for digest in ("a" * 64, "b" * 64)}
    assert len(found) == 2


def test_commits_differ_in_shared_paths_only():
    other = {
        **FILES,
        "apps/web/a.yaml": "x",
        "clusters/prod/1.yaml": "x",
        "clusters/dev/1.yaml": "x",
    }
    del other["policies/a.yaml"]
    assert layout.differ(listing(FILES), listing(other), DEV) == (
        "apps/web/a.yaml",
        "policies/a.yaml",
    )
    assert layout.differ(listing(FILES), listing(FILES), DEV) == ()


@given(files=st.dictionaries(st.sampled_from([*FILES, "apps/x"]), st.sampled_from("abc")))
def test_ids_are_equal_exactly_when_the_shared_files_are(files: dict[str, str]):
    one, other = ids(FILES), ids(files)
    is_equal = layout.differ(listing(FILES), listing(files), DEV) == ()
    assert ((one.content, one.rules) == (other.content, other.rules)) == is_equal
