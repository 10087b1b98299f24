"""A commit is held against the rules in force and its own: a tightening counts at once, a loosening afterwards."""

from typing import Any

import pytest

import repositories
from fleet.adapters import schemas
from fleet.judge import judging
from fleet.local import offline
from fleet.model import findings, names

SOURCE = schemas.Packaged()
DEV = names.Environment("dev")
POLICY = """apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-secrets-here}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
      - {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}
  validations:
    - expression: "!has(object.data) || !('password' in object.data)"
      message: a password in a ConfigMap
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-secrets-here}
spec: {policyName: no-secrets-here, validationActions: [ACTION]}
"""
GOOD = repositories.config_map()
BAD = GOOD.replace("word:", "password:")


def rules(action: str) -> str:
    return POLICY.replace("ACTION", action)


async def verdict(reader: Any, base: names.CommitId) -> dict[str, findings.Severity]:
    tools = judging.Tools(
        repository=reader.local, schemas=SOURCE, memo=reader.memo, kustomize=None
    )
    found = await offline.check_commit(DEV, reader.git.tip(), base, tools)
    return {
        f"{each.rule} {each.severity.value}": each.severity
        for each in found.findings
        if each.rule != "registration"
    }


def with_app(repository_of: Any, text: str, action: str | None) -> Any:
    policies = {"policies/secrets/policy.yaml": rules(action)} if action else {}
    files = {"apps/web/bundle.yaml": repositories.bundle_text(), "apps/web/a.yaml": text}
    return repository_of({**files, **policies})


@pytest.mark.threat(36)
@pytest.mark.threat(38)
async def test_a_commit_cannot_loosen_a_rule_and_break_it_at_once(repository_of: Any):
    reader = with_app(repository_of, GOOD, "Deny")
    base = reader.git.tip()
    reader.git.commit({"policies/secrets/policy.yaml": rules("Warn"), "apps/web/a.yaml": BAD})
    found = await verdict(reader, base)
    assert found["no-secrets-here deny"] is findings.Severity.DENY
    assert "loosening audit" in found


@pytest.mark.threat(36)
async def test_a_loosening_is_said_and_counts_from_the_next_commit_on(repository_of: Any):
    reader = with_app(repository_of, GOOD, "Deny")
    base = reader.git.tip()
    reader.git.commit({"policies/secrets/policy.yaml": rules("Warn")})
    assert set(await verdict(reader, base)) == {"loosening audit"}
    base = reader.git.tip()
    reader.git.commit({"apps/web/a.yaml": BAD})
    assert set(await verdict(reader, base)) == {"no-secrets-here warn"}


async def test_a_tightening_counts_at_once(repository_of: Any):
    reader = with_app(repository_of, BAD, None)
    base = reader.git.tip()
    reader.git.commit({"policies/secrets/policy.yaml": rules("Deny")})
    assert set(await verdict(reader, base)) == {"no-secrets-here deny"}
