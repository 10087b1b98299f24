"""Kustomizations are judged before kustomize sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import repositories
from fleet.manifests import kustomizations, selection
from fleet.model import findings, objects

FILES = (
    "apps/web/kustomization.yaml", "apps/web/a.yaml", "apps/web/patch.yaml", "apps/web/x/y.txt",
    "apps/base/kustomization.yaml", "apps/base/b.yaml", "apps/base/more/kustomization.yaml",
    "apps/base/more/c.yaml", "apps/other/d.yaml", "top.yaml", "apps/.env",
)  # fmt: skip


def reach(written: dict[str, str], folder: str = "apps/web", files: tuple[str, ...] = FILES):
    listing = repositories.snapshot(*files)
    documents = {}
    for path, data in written.items():
        parsed = repositories.parsed(data, path)
        source = objects.Source(path=path, line=1, blob=parsed.blob)
        documents[path] = (parsed.documents[0].value, source)
    return kustomizations.reach(folder, listing, documents)


def refusals(written: str) -> list[str]:
    found = reach({"apps/web/kustomization.yaml": written}).findings
    assert all(
        each.severity is findings.Severity.DENY and each.rule == "kustomize" for each in found
    )
    return [each.message for each in found]


def test_it_reaches_its_folder_and_all_that_it_names_and_what_that_names():
    found = reach(
        {
            "apps/web/kustomization.yaml": "resources: [a.yaml, ../base/, ../other/d.yaml]",
            "apps/base/kustomization.yaml": "components: [more]\nconfigMapGenerator: [{name: a, envs: [../.env]}]",
            "apps/base/more/kustomization.yaml": "kind: Component\npatches: [{path: ../../../top.yaml}]",
        }
    )
    assert found.findings == ()
    assert found.paths == set(FILES)


def test_it_reaches_no_more_than_that():
    found = reach({"apps/web/kustomization.yaml": "resources: [a.yaml]"})
    assert sorted(found.paths) == [
        "apps/web/a.yaml", "apps/web/kustomization.yaml", "apps/web/patch.yaml", "apps/web/x/y.txt",
    ]  # fmt: skip


@pytest.mark.threat(9)
@pytest.mark.parametrize(
    "remote",
    [
        "https://example.com/a.yaml",
        "http://169.254.169.254/latest",
        "github.com/org/repo//base?ref=main",
        "git@github.com:org/repo",
        "ssh://git@host/repo",
        "file:///etc/passwd",
        "git::https://example.com/repo",
        "host/repo?ref=v1",
    ],
)
@pytest.mark.parametrize("field", ["resources", "bases", "components", "crds", "configurations"])
def test_nothing_remote_is_fetched(field: str, remote: str):
    assert refusals(f"{field}: ['{remote}']") == [f"{remote} is remote"]


WAYS = [
    "resources: [{}]",
    "bases: [{}]",
    "components: [{}]",
    "crds: [{}]",
    "configurations: [{}]",
    "patchesStrategicMerge: [{}]",
    "patches: [{{path: {}}}]",
    "patchesJson6902: [{{path: {}, target: {{kind: A, name: b}}}}]",
    "replacements: [{{path: {}}}]",
    "configMapGenerator: [{{name: a, files: [{}]}}]",
    "configMapGenerator: [{{name: a, files: ['key={}']}}]",
    "secretGenerator: [{{name: a, envs: [{}]}}]",
    "secretGenerator: [{{name: a, env: {}}}]",
]


@pytest.mark.threat(9)
@pytest.mark.threat(1)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../../etc/passwd", "x/../../../../etc", "../../..", "--help"]
)
def test_no_field_leads_out_of_the_repository(way: str, path: str):
    (found,) = refusals(way.format(path))
    assert found.startswith(path)
    assert found.endswith(("leads out of here", "is not a path in here"))


@pytest.mark.threat(9)
def test_an_inline_patch_is_no_way_out_either():
    assert refusals('patchesStrategicMerge: ["kind: A\\nmetadata: {name: b}"]') == []
    (found,) = refusals('patchesStrategicMerge: ["kind: A\\n/../../../../etc/passwd"]')
    assert found.endswith("leads out of here")
    (found,) = refusals('resources: ["kind: A\\nx"]')
    assert found.endswith("is not a path in here")


@pytest.mark.threat(9)
@pytest.mark.parametrize(
    "field",
    [
        "generators", "validators", "openapi", "helmCharts", "helmGlobals",
        "helmChartInflationGenerator",
    ],
)  # fmt: skip
def test_nothing_that_runs_or_fetches(field: str):
    assert refusals(f"{field}: [a.yaml]") == [f"{field} could run or fetch what nobody checked"]
    assert refusals(f"{field}: []") == []


@pytest.mark.threat(9)
def test_a_transformer_is_a_file_that_is_judged_by_itself():
    found = reach({"apps/web/kustomization.yaml": "transformers: [a.yaml, ../other/d.yaml]"})
    assert found.findings == ()
    assert found.transformers == {"apps/web/a.yaml", "apps/other/d.yaml"}
    assert found.transformers <= found.paths


@pytest.mark.threat(9)
@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("../base", "a transformer is a file in here"),
        ("gone.yaml", "a transformer is a file in here"),
        ("https://example.com/a", "https://example.com/a is remote"),
        ('"apiVersion: builtin\\nkind: A"', "apiVersion: builtin\\nkind: A is not a path in here"),
        ("../../../etc", "../../../etc leads out of here"),
    ],
)
def test_a_transformer_is_nothing_else(entry: str, message: str):
    assert refusals(f"transformers: [{entry}]") == [message]


@pytest.mark.threat(9)
@pytest.mark.parametrize(
    ("written", "is_fine"),
    [
        ("apiVersion: builtin\nkind: LabelTransformer\nlabels: {a: b}", True),
        ("apiVersion: builtin\nkind: PatchTransformer\npath: /etc/passwd", False),
        ("apiVersion: builtin\nkind: HelmChartInflationGenerator", False),
        ("apiVersion: example.com/v1\nkind: LabelTransformer", False),
        ("apiVersion: builtin\nkind: PatchTransformer\n<<: {kind: LabelTransformer}", False),
        ("apiVersion: v1\nkind: List\nitems: []", False),
        ("[a]", False),
    ],
)
def test_only_transformers_that_read_nothing(written: str, is_fine: bool):
    data = written.encode()
    source = objects.Source(path="a.yaml", line=1, blob=repositories.blob(data))
    document = repositories.parsed(data).documents[0].value
    assert (list(kustomizations.transformer(document, data, source)) == []) is is_fine


@pytest.mark.threat(9)
@pytest.mark.parametrize(
    "written",
    [
        "Resources: [/etc/passwd]",
        "re\u017fources: [/etc/passwd]",
        "HELMCHARTS: [{name: a}]",
        "patches: [{Path: /etc/passwd}]",
        "configMapGenerator: [{name: a, FILES: [/etc/passwd]}]",
        "configMapGenerator: [{name: a, kvSources: [{}]}]",
        "surprise: 1",
    ],
)
def test_kustomize_reads_other_spellings_too_so_only_ours_pass(written: str):
    (found,) = refusals(written)
    assert found.endswith("is no field of a kustomization that fleet knows")


@pytest.mark.threat(9)
def test_a_legacy_list_of_patches_is_no_way_around():
    assert refusals("patches: [/etc/passwd]") == ["patches has an entry that is no mapping"]


@pytest.mark.threat(9)
def test_what_a_base_asks_for_is_judged_too():
    found = reach(
        {
            "apps/web/kustomization.yaml": "resources: [../base]",
            "apps/base/kustomization.yaml": "resources: [https://example.com/x]",
        }
    )
    assert [str(each.place) for each in found.findings] == ["apps/base/kustomization.yaml:1"]
    assert found.findings[0].field == ("resources", "0")


def test_bases_that_name_each_other_end():
    found = reach(
        {
            "apps/web/kustomization.yaml": "resources: [../base]",
            "apps/base/kustomization.yaml": "resources: [../web, .]",
        }
    )
    assert found.findings == ()


@pytest.mark.threat(6)
def test_more_kustomizations_than_anyone_writes_are_refused():
    files = tuple(f"a/{i}/kustomization.yaml" for i in range(600))
    written = {
        path: f"resources: [../{i + 1}]" if i < 599 else "resources: [/etc/passwd]"
        for i, path in enumerate(files)
    }
    assert [e.message for e in reach(written, "a/0", files).findings] == [
        "more than 500 kustomizations in one bundle"
    ]


@pytest.mark.parametrize("written", ["[a]", "5", "text"])
def test_a_kustomization_is_a_mapping(written: str):
    assert refusals(written) == ["a kustomization is one mapping"]


_VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.just("../../../x"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["path", "files", "env", "envs", "x"]), inner, max_size=3
        )
    ),
)
_FIELDS = st.sampled_from(
    ["resources", "patches", "configMapGenerator", "replacements", "patchesStrategicMerge", "x"]
)


@given(document=st.dictionaries(_FIELDS, _VALUES) | _VALUES)
def test_whatever_stands_in_a_kustomization_is_judged_without_an_exception(document: object):
    path = "apps/web/kustomization.yaml"
    source = objects.Source(path=path, line=1, blob=repositories.blob(b""))
    found = kustomizations.reach(
        "apps/web", repositories.snapshot(*FILES), {path: (document, source)}
    )
    assert path in found.paths
    assert selection.kustomization("apps/web", repositories.snapshot(*FILES).entries) == path
