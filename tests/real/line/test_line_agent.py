"""What an agent does to a real cluster: what is its own to do, each object for itself, nothing without leave."""

import secrets

import pytest

import lines
import repositories
from fleet.converge import inventory
from fleet.model import changes


@pytest.fixture
async def dev(line: lines.Line) -> lines.Station:
    """dev-1, healthy with the first release."""
    await line.open()
    station = await line.join("dev-1")
    await line.healthy(line.git.tip())
    return station


def reported(line: lines.Line, station: lines.Station) -> dict[str, changes.Outcome]:
    """What the hub was told of objects that are not as they should be, by name."""
    report = line.rows.clusters[station.name].report
    return {each.key.name: each for each in report.outcomes} if report else {}


async def told(line: lines.Line, station: lines.Station, name: str, words: str) -> str:
    """What the hub was told about this object, once it contains these words."""

    def found() -> str | None:
        outcome = reported(line, station).get(name)
        return outcome.message if outcome and words in outcome.message else None

    message: str = await line.until(f"{name} is reported: {words}", found)
    return message


# Pruning.


@pytest.mark.threat(90)
async def test_only_what_the_inventory_names_is_pruned(line: lines.Line, dev: lines.Station):
    mark = {"labels": {inventory.PART_OF: inventory.ID}}
    body = {"metadata": {"name": "foreign", **mark}, "data": {"word": "mine"}}
    await dev.owner.must("POST", f"/api/v1/namespaces/{line.namespace}/configmaps", body)
    await line.healthy(line.commit({"apps/web/b.yaml": None}))
    assert await dev.live(line.namespace, "b") is None
    assert dev.deleted() == [line.config_path("b")]
    assert await dev.word(line.namespace, "foreign")() == "mine"


async def test_nothing_is_pruned_before_everything_is_applied(
    line: lines.Line, dev: lines.Station
):
    await dev.owner.make(line.namespace, "c", "foreign")
    files = {"apps/web/b.yaml": None, "apps/web/c.yaml": line.config_map("c", "ours")}
    line.commit({**line.app(a="newer"), **files})
    await told(line, dev, "c", "did not create")
    await line.equals(dev.word(line.namespace, "a"), "newer")
    await line.quiet()
    assert await dev.word(line.namespace, "b")() == "world"
    assert dev.deleted() == []
    # With the obstacle gone the rest follows.
    await dev.owner.must("DELETE", line.config_path("c"))
    await line.equals(dev.word(line.namespace, "c"), "ours")
    await line.until("b is pruned", lambda: dev.deleted() == [line.config_path("b")])


@pytest.mark.threat(92)
async def test_a_namespace_goes_only_with_a_permit(line: lines.Line, dev: lines.Station):
    other = f"{line.namespace}-x"
    await line.healthy(line.commit({"apps/web/x.yaml": lines.namespace_text(other)}))
    tip = line.commit({"apps/web/x.yaml": None})
    decision = await line.judged(tip, "refused")
    assert [each.rule for each in decision.findings] == ["deletion-guard"]
    assert f"Namespace {other}" in decision.findings[0].message
    await line.quiet()
    assert dev.deleted() == []
    permit = lines.permit_text(f"delete:\n- {{kind: Namespace, name: {other}}}\n")
    await line.healthy(line.commit({"environments/dev/permit.yaml": permit}))
    assert dev.deleted() == [f"/api/v1/namespaces/{other}"]


@pytest.mark.threat(92)
async def test_more_than_the_share_goes_only_with_a_permit(line: lines.Line, dev: lines.Station):
    tip = line.commit({"apps/web/a.yaml": None, "apps/web/b.yaml": None})
    decision = await line.judged(tip, "refused")
    assert "2 of 3 objects would go; more than 50%" in decision.findings[0].message
    permit = lines.permit_text("maxDeletedShare: 0.9\n")
    await line.healthy(line.commit({"environments/dev/permit.yaml": permit}))
    assert sorted(dev.deleted()) == [line.config_path("a"), line.config_path("b")]


@pytest.mark.threat(92)
async def test_an_empty_slice_deletes_nothing(line: lines.Line, dev: lines.Station):
    bundle = "apps/web/bundle.yaml"
    text = repositories.bundle_text(spec="{targets: {clusters: [nobody]}}")
    decision = await line.judged(line.commit({bundle: text}), "refused")
    assert "deletion-guard" in {each.rule for each in decision.findings}
    await line.quiet()
    assert dev.deleted() == []


# Objects of others.


async def test_an_object_that_is_there_already_is_not_taken(line: lines.Line, dev: lines.Station):
    await dev.owner.make(line.namespace, "c", "foreign")
    tip = line.commit({"apps/web/c.yaml": line.config_map("c", "ours"), **line.app(a="newer")})
    message = await told(line, dev, "c", "did not create")
    assert "takeover" in message
    assert await dev.word(line.namespace, "a")() == "newer"
    assert await dev.word(line.namespace, "c")() == "foreign"
    release = line.rows.in_force(dev.environment)
    assert release is not None
    assert (release.commit, release.healthy) == (tip, None)


@pytest.mark.parametrize("leave", ["bundle", "permit"])
async def test_with_leave_it_is_taken_over_and_never_pruned(
    line: lines.Line, dev: lines.Station, leave: str
):
    await dev.owner.make(line.namespace, "c", "foreign", mine="yes")
    files = {"apps/web/c.yaml": line.config_map("c", "ours")}
    if leave == "bundle":
        files["apps/web/bundle.yaml"] = repositories.bundle_text(spec="{takeover: true}")
    else:
        files["environments/dev/permit.yaml"] = lines.permit_text(
            f"takeover:\n- {{kind: ConfigMap, namespace: {line.namespace}, name: c}}\n"
        )
    await line.healthy(line.commit(files))
    assert await dev.word(line.namespace, "c")() == "ours"
    await line.healthy(line.commit({"apps/web/c.yaml": None}))
    assert dev.deleted() == []
    left = await dev.live(line.namespace, "c")
    assert left is not None
    assert left["metadata"]["labels"] == {"mine": "yes"}
    managers = {each["manager"] for each in left["metadata"]["managedFields"]}
    assert "fleetgate" not in managers
    # It is nobody's now: what becomes of it is no drift.
    await dev.owner.merge(line.config_path("c"), {"data": {"word": "free"}})
    await line.quiet()
    assert await dev.word(line.namespace, "c")() == "free"


@pytest.mark.threat(80)
async def test_a_field_of_another_manager_fails_its_object_alone_and_names_the_owner(
    line: lines.Line, dev: lines.Station
):
    theirs = {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"size": "9"},
    }  # fmt: skip
    await dev.owner.own(line.config_path("a"), theirs, "autoscaler")
    both = line.config_map("a", "newer").replace("\ndata: {", "\ndata: {size: '3', ")
    line.commit({"apps/web/a.yaml": both, "apps/web/b.yaml": line.config_map("b", "newer")})
    message = await told(line, dev, "a", "autoscaler")
    assert ".data.size" in message
    await line.equals(dev.word(line.namespace, "b"), "newer")
    live = await dev.live(line.namespace, "a")
    assert live is not None
    assert live["data"] == {"word": "hello", "size": "9"}
    # What we no longer ask for is no conflict.
    tip = line.commit({"apps/web/a.yaml": line.config_map("a", "newer")})
    await line.healthy(tip)
    assert (await dev.live(line.namespace, "a") or {})["data"] == {"word": "newer", "size": "9"}


@pytest.mark.threat(80)
async def test_a_field_that_was_ours_is_forced_back_and_reported_as_a_repair(
    line: lines.Line, dev: lines.Station
):
    theirs = {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"word": "no"},
    }  # fmt: skip
    await dev.owner.own(line.config_path("a"), theirs, "intruder")
    await line.equals(dev.word(line.namespace, "a"), "hello")

    async def repaired() -> bool:
        records = [each async for each in line.hub.book.records()]
        repairs = [r for each in records for r in each.body.get("repairs", ())]
        return [each["object"] for each in repairs] == [f"ConfigMap {line.namespace}/a"]

    await line.until("the repair is on record, once", repaired)


# Each object for itself.


def widgets(group: str, namespace: str) -> lines.Files:
    crd = f"""
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Widget, plural: widgets, singular: widget}}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {{size: {{type: integer}}}}
"""
    metadata = f"{{name: one, namespace: {namespace}}}"
    one = f"apiVersion: {group}/v1\nkind: Widget\nmetadata: {metadata}\nsize: 3\n"
    return {"apps/web/widget.yaml": one, "apps/web/crd.yaml": crd}


@pytest.mark.threat(87)
async def test_a_kind_and_its_first_object_come_in_one_release(
    line: lines.Line, dev: lines.Station
):
    group = f"{secrets.token_hex(4)}.example.com"
    await line.healthy(line.commit(widgets(f"w{group}", line.namespace)))
    path = f"/apis/w{group}/v1/namespaces/{line.namespace}/widgets/one"
    live = await dev.owner.read(path)
    assert live is not None
    assert live["size"] == 3
    # It is watched like any other: drift of a custom resource is put back.
    await dev.owner.merge(path, {"size": 4})

    async def size() -> int:
        return int((await dev.owner.read(path) or {})["size"])

    await line.equals(size, 3)
    # And the kind is guarded: with it all its objects would go.
    decision = await line.judged(line.commit({"apps/web/crd.yaml": None}), "refused")
    assert any("CustomResourceDefinition" in each.message for each in decision.findings)


@pytest.mark.threat(83)
async def test_an_object_that_admission_refuses_fails_alone_with_its_text(
    line: lines.Line, dev: lines.Station
):
    async with admission(dev, line.namespace, "size must be small"):
        big = line.config_map("c", "big")
        line.commit({**line.app(a="newer"), "apps/web/b.yaml": None, "apps/web/c.yaml": big})
        await told(line, dev, "c", "size must be small")
        await line.equals(dev.word(line.namespace, "a"), "newer")
        await line.quiet()
        assert dev.deleted() == []  # and nothing is pruned meanwhile
        assert await dev.live(line.namespace, "c") is None
    # It is tried again by itself.
    await line.equals(dev.word(line.namespace, "c"), "big")
    await line.until("then what is superfluous goes", dev.deleted)


@pytest.mark.threat(83)
async def test_a_deletion_that_admission_refuses_stays_in_the_inventory(
    line: lines.Line, dev: lines.Station
):
    async with admission(dev, line.namespace, "b stays", operation="DELETE", name="b"):
        line.commit({"apps/web/b.yaml": None})
        await told(line, dev, "b", "b stays")
        assert any(key.name == "b" for key in dev.agent.inventory)
        assert await dev.word(line.namespace, "b")() == "world"
    await line.until("it is deleted later", lambda: not reported(line, dev))
    assert await dev.live(line.namespace, "b") is None


class admission:  # noqa: N801 - read as a block: while this admission holds
    """A real ValidatingAdmissionPolicy in the cluster, for one namespace."""

    def __init__(
        self,
        station: lines.Station,
        namespace: str,
        message: str,
        operation: str = "CREATE",
        name: str = "c",
    ) -> None:
        self._station, self._namespace, self._message = station, namespace, message
        self._operation, self._name = operation, name

    @property
    def _path(self) -> str:
        return "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"

    @property
    def _bindings(self) -> str:
        return "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"

    async def __aenter__(self) -> None:
        rule = {
            "apiGroups": [""], "apiVersions": ["v1"], "operations": [self._operation],
            "resources": ["configmaps"],
        }  # fmt: skip
        name = f"request.name in ['{self._name}', 'probe']"
        spec = {
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [{"name": "it", "expression": name}],
            "validations": [{"expression": "false", "message": self._message}],
        }
        owner, metadata = self._station.owner, {"name": self._namespace}
        selector = {"matchLabels": {"kubernetes.io/metadata.name": self._namespace}}
        binding = {
            "policyName": self._namespace, "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": selector},
        }  # fmt: skip
        await owner.make(self._namespace, "probe", "x")
        await owner.must("POST", self._path, {"metadata": metadata, "spec": spec})
        await owner.must("POST", self._bindings, {"metadata": metadata, "spec": binding})
        while await self._is_let_through():
            pass

    async def __aexit__(self, *_: object) -> None:
        owner = self._station.owner
        await owner.must("DELETE", f"{self._bindings}/{self._namespace}")
        await owner.must("DELETE", f"{self._path}/{self._namespace}")

    async def _is_let_through(self) -> bool:
        """Whether the API server has not taken the policy up yet."""
        owner = self._station.owner
        path = f"/api/v1/namespaces/{self._namespace}/configmaps"
        if self._operation == "DELETE":
            status, _ = await owner.ask("DELETE", f"{path}/probe?dryRun=All")
        else:
            body = {"metadata": {"name": self._name}}
            status, _ = await owner.ask("POST", f"{path}?dryRun=All", body)
        return status < 300
