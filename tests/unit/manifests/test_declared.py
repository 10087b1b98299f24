"""The documents of our own kinds: strictly read, at their places, once each."""

import json
from typing import Any

import pytest

import repositories
from fleet.manifests import declared, layout, parse
from fleet.model import findings, ledger, names

FLEET = repositories.FLEET
CLUSTER = repositories.cluster_text()


def faults(files: dict[str, str]) -> list[str]:
    found = repositories.read({"fleet.yaml": FLEET, **files}).findings
    assert all(each.severity is findings.Severity.DENY and each.rule == "fleet" for each in found)
    return [f"{each.place}: {each.message}" for each in found]


def only(files: dict[str, str]) -> findings.Finding:
    (found,) = repositories.read({"fleet.yaml": FLEET, **files}).findings
    return found


def located(written: str, path: str) -> str:
    """Where a person is sent: the line of the field of the only finding."""
    found = only({path: written})
    data = repositories.text(written)
    return str(parse.locate(data, path, found.place.line, found.field))


def test_a_sound_repository_says_everything():
    said = repositories.read(
        {
            "fleet.yaml": FLEET,
            "clusters/dev/1.yaml": repositories.cluster_text("dev-1")
            + "---"
            + repositories.cluster_text("dev-2"),
            "apps/web/bundle.yaml": repositories.bundle_text("web", "{namespace: shop}"),
            "policies/p.yaml": "kind: ValidatingAdmissionPolicy",
            "environments/dev/policies/q.yaml": "kind: ConfigMap",
            "schemas/c.yaml": "kind: CustomResourceDefinition",
        }
    )
    assert said.findings == ()
    assert [each.document.metadata.name for each in said.clusters] == ["dev-1", "dev-2"]
    assert str(said.clusters[1].place) == "clusters/dev/1.yaml:11"
    assert said.place_of(names.Cluster("dev-2")) == said.clusters[1].place
    assert [each.folder for each in said.bundles] == ["apps/web"]
    assert [each.source.path for each in said.rules] == [
        "policies/p.yaml", "environments/dev/policies/q.yaml", "schemas/c.yaml",
    ]  # fmt: skip
    assert [each.source.path for each in said.crds] == ["schemas/c.yaml"]
    assert said.spec.name == "dev"


def test_a_repository_without_fleet_yaml_is_told_how_to_start():
    (found,) = repositories.read({}).findings
    assert (str(found.place), found.hint) == ("fleet.yaml", "start one with: fleet init")


def test_an_environment_that_fleet_yaml_does_not_name_is_a_finding():
    where = layout.Layout(environment=names.Environment("qa"), owned=layout.OWNED)
    (found,) = repositories.read({"fleet.yaml": FLEET}, where).findings
    assert found.message == "it does not name environment qa, whose branch this is"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("- name: dev", "environment dev is there twice"),
        ("- {name: qa, branch: prod}", "branch prod is there twice"),
    ],
)
def test_two_environments_are_told_apart(more: str, message: str):
    found = repositories.read({"fleet.yaml": FLEET + "  " + more}).findings
    assert message in {each.message for each in found}


@pytest.mark.parametrize(
    ("field", "wrong", "hint"),
    [
        ("kubernetesVersion", "kubernetesVersoin", "did you mean kubernetesVersion?"),
        ("uid", "uidd", "did you mean uid?"),
        ("publicKey", "public_key", "did you mean publicKey?"),
        ("proof", "zzz", ""),
    ],
)
def test_an_unknown_field_is_refused_with_what_was_meant(field: str, wrong: str, hint: str):
    written = CLUSTER.replace(field, wrong)
    found = repositories.read({"fleet.yaml": FLEET, "clusters/dev/1.yaml": written}).findings
    unknown = [each for each in found if "is no field" in each.message]
    assert [(e.message, e.hint) for e in unknown] == [
        (f"spec.{wrong} is no field of Cluster", hint)
    ]
    assert len(found) == 2  # and the right one is missing


def test_a_hint_knows_the_fields_at_its_place():
    written = FLEET.replace("- name: prod", "- name: prod\n    wave: [{name: a}]")
    (found,) = repositories.read({"fleet.yaml": written}).findings[:1]
    assert found.message == "spec.environments.1.wave is no field of Fleet"
    assert found.hint == "did you mean waves?"
    inner = FLEET.replace("- name: prod", "- {name: prod, waves: [{name: a, selecter: {}}]}")
    assert repositories.read({"fleet.yaml": inner}).findings[0].hint == "did you mean selector?"


def test_a_finding_leads_to_the_line_of_its_field():
    path = "clusters/dev/1.yaml"
    assert located(repositories.cluster_text(more="colour: red"), path) == f"{path}:9:11"
    assert located(CLUSTER.replace('"1.36"', "1.36"), path) == f"{path}:8:22"
    assert located(CLUSTER.replace("uid-of-dev-1", "12"), path) == f"{path}:5:8"


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ('"1.36"', '"1.36.3"', "spec.kubernetesVersion: string should match pattern"),
        ("name: dev-1", "name: Dev_1", "metadata.name: string should match pattern"),
        ("name: dev-1", "name: 'dev-1\n\n'", "metadata.name: string should match pattern"),
        ("labels: {}", "labels: {a: 1}", "metadata.labels.a: input should be a valid string"),
        ("v1alpha1", "v1", "apiVersion: input should be 'fleetgate.dev/v1alpha1'"),
    ],
)
def test_nothing_is_converted(right: str, wrong: str, message: str):
    (found,) = faults({"clusters/dev/1.yaml": CLUSTER.replace(right, wrong, 1)})
    assert message in found


@pytest.mark.threat(18)
@pytest.mark.parametrize(
    "name", ["w\u0435b", "web\u200b", "web\u202e", "\uff57eb", "web\n", "WEB", "web."]
)
def test_a_name_is_plain_letters_that_cannot_be_mistaken(name: str):
    written = repositories.bundle_text().replace("{name: web}", f'{{name: "{name}"}}')
    (found,) = faults({"apps/web/bundle.yaml": written})
    assert "metadata.name" in found


def test_a_kind_that_is_not_ours_is_refused_with_what_was_meant():
    found = only({"clusters/dev/1.yaml": CLUSTER.replace("kind: Cluster", "kind: Clusters")})
    assert (found.message, found.hint) == (
        "kind 'Clusters' is none of fleetgate.dev",
        "did you mean Cluster?",
    )


PERMIT = """
    apiVersion: fleetgate.dev/v1alpha1
    kind: Permit
    metadata: {name: p}
    spec: {reason: moving, expires: "2026-03-01T12:00:00Z"}
"""


@pytest.mark.parametrize(
    ("path", "written", "message"),
    [
        ("apps/fleet/bundle.yaml", FLEET, "a Fleet belongs into fleet.yaml at the top"),
        ("apps/web/bundle.yaml", CLUSTER, "a Cluster of this branch belongs into clusters/dev/"),
        ("clusters/dev-1.yaml", CLUSTER, "a Cluster of this branch belongs into clusters/dev/"),
        (
            "environments/dev/c.yaml",
            CLUSTER,
            "a Cluster of this branch belongs into clusters/dev/",
        ),
        ("policies/c.yaml", CLUSTER, "a Cluster of this branch belongs into clusters/dev/"),
        ("clusters/dev/p.yaml", PERMIT, "a Permit of this branch belongs into environments/dev/"),
        ("policies/b.yaml", repositories.bundle_text(), "a Bundle belongs into a shared folder"),
        (
            "environments/dev/bundle.yaml",
            repositories.bundle_text(),
            "a Bundle belongs into a shared",
        ),
    ],
)
def test_a_document_in_the_wrong_place_is_told_the_right_one(
    path: str, written: str, message: str
):
    (found,) = faults({path: written})
    assert found.startswith(path)
    assert message in found


@pytest.mark.threat(50)
def test_an_object_beside_a_bundle_is_not_silently_left_out():
    written = repositories.bundle_text() + "---\n" + repositories.config_map()
    assert faults({"apps/web/bundle.yaml": written}) == [
        "apps/web/bundle.yaml:6: a file of fleet's own documents holds nothing else"
    ]


@pytest.mark.threat(21)
def test_two_documents_of_one_kind_and_name_are_refused_with_both_places():
    again = {"clusters/dev/1.yaml": CLUSTER, "clusters/dev/2.yaml": CLUSTER}
    assert faults(again) == [
        "clusters/dev/2.yaml:1: Cluster dev-1 is already in clusters/dev/1.yaml:1"
    ]
    bundles = {f"apps/{n}/bundle.yaml": repositories.bundle_text() for n in ("a", "b")}
    assert faults(bundles) == [
        "apps/b/bundle.yaml:1: Bundle web is already in apps/a/bundle.yaml:1"
    ]


def test_a_second_fleet_is_one_too_many():
    (found,) = repositories.read({"fleet.yaml": FLEET + "---" + FLEET}).findings
    assert found.message == "Fleet example is already in fleet.yaml:1"


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("A" * 43 + "=", "A" * 42, "publicKey is not 32 bytes in base64"),
        ("A" * 86 + "==", "!" * 88, "proof is not 64 bytes in base64"),
        ("A" * 86 + "==", "é", "proof is not 64 bytes in base64"),
    ],
)
def test_keys_have_their_length(right: str, wrong: str, message: str):
    found = only({"clusters/dev/1.yaml": CLUSTER.replace(f" {right}", f" '{wrong}'")})
    assert found.message == message
    assert found.hint == "take the document as `fleet agent enroll` printed it"


@pytest.mark.parametrize(
    ("expires", "message"),
    [
        ('"2026-03-01T12:00:00"', "spec.expires: input should have timezone info"),
        ('"soon"', "spec.expires: input should be a valid datetime"),
    ],
)
def test_an_end_has_a_time_and_a_zone(expires: str, message: str):
    written = PERMIT.replace('"2026-03-01T12:00:00Z"', expires)
    (found,) = faults({"environments/dev/p.yaml": written})
    assert message in found


def test_a_permit_is_read():
    said = repositories.read({"fleet.yaml": FLEET, "environments/dev/p.yaml": PERMIT})
    assert [each.metadata.name for each in said.permits_only] == ["p"]


def test_all_that_is_wrong_is_said_at_once():
    files = {
        "clusters/dev/1.yaml": CLUSTER.replace("uid:", "uidd:"),
        "clusters/dev/2.yaml": CLUSTER.replace("kind: Cluster", "kind: Klaster"),
        "apps/a/bundle.yaml": repositories.bundle_text("a", "{targets: 5, path: 7}"),
    }
    assert len(faults(files)) == 5


def test_the_road_is_the_environments_in_order_with_their_branches():
    written = (
        FLEET.replace("- name: dev", "- {name: dev, branch: main}")
        + "  ownedPaths: ['x/{environment}']"
    )
    said = repositories.read({"fleet.yaml": written})
    assert said.fleet is not None
    road = declared.road_of(said.fleet)
    assert road.steps == (
        ledger.Step(environment=names.Environment("dev"), branch=names.Branch("main")),
        ledger.Step(environment=names.Environment("prod"), branch=names.Branch("prod")),
    )
    assert road.owned == (*layout.OWNED, "x/{environment}")


@pytest.mark.parametrize("kind", [[], {}, None, 1, "fleet", "Fleets"])
def test_a_kind_that_is_none_is_said(kind: Any):
    document = {"apiVersion": "fleetgate.dev/v1alpha1", "kind": kind}
    found = repositories.read({"environments/dev/a.yaml": json.dumps(document)}).findings
    assert any("is none of fleetgate.dev" in each.message for each in found)


ASKED = """apiVersion: fleetgate.dev/v1alpha1
kind: Fleet
metadata:
  name: small
spec:
  environments:
    - name: dev
      waves:
        - name: canary
      gates:
        windows:
          - name: work
            effect: allow
            timeZone: {zone}
            start: "{start}"
            duration: {duration}
            recurrence: "{rule}"
            waves: [{wave}]
{more}"""
SOUND = {
    "zone": "Europe/Berlin",
    "start": "2026-01-05T09:00",
    "duration": "8h",
    "rule": "FREQ=DAILY",
    "wave": "canary",
    "more": "",
}


def gate_faults(**fields: str) -> list[tuple[str, str]]:
    """Each with the line to which a person is sent."""
    text = ASKED.format(**{**SOUND, **fields})
    found = repositories.read({"fleet.yaml": text}).findings
    data = repositories.text(text)
    return [
        (_line(str(parse.locate(data, "fleet.yaml", each.place.line, each.field))), each.message)
        for each in found
    ]


def _line(place: str) -> str:
    return ":".join(place.split(":")[:2])


def test_windows_that_are_sound_have_no_finding():
    assert gate_faults() == []


@pytest.mark.threat(54)
@pytest.mark.parametrize(
    ("fields", "place", "said"),
    [
        ({"zone": "Berlin"}, "fleet.yaml:14", "window work: it is no IANA time zone"),
        ({"zone": "../../etc/passwd"}, "fleet.yaml:14", "window work: it is no IANA time zone"),
        ({"start": "2026-02-30T09:00"}, "fleet.yaml:15", "window work: there is no such day"),
        ({"duration": "0s"}, "fleet.yaml:16", "window work: a window has to last"),
        ({"rule": "FREQ=SECONDLY"}, "fleet.yaml:17", "window work: FREQ=SECONDLY is not taken"),
        ({"rule": "FREQ=WEEKLY;BYDAY=MO\\u001b"}, "fleet.yaml:17", "window work: BYDAY=MO"),
        ({"wave": "rest"}, "fleet.yaml:18", "window work: dev declares no wave rest"),
    ],
)
def test_a_window_that_is_none_is_said_at_its_line(fields: dict[str, str], place: str, said: str):
    ((where, message),) = gate_faults(**fields)
    assert where == place
    assert message.startswith(said)
    assert "\x1b" not in message


def test_two_statuses_of_one_name_are_said():
    twice = "        statuses:\n" + "          - {issuer: ci, context: e2e}\n" * 2
    ((place, message),) = gate_faults(more=twice)
    assert (place, message) == ("fleet.yaml:20", "ci/e2e is there 2 times")
