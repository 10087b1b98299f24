"""What the published schemas of the report formats say of the parts that fleet writes; closed, so nothing else fits."""

from typing import Any


def closed(required: str = "", **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required.split(),
        "properties": properties,
    }


TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
FROM_ONE = {"type": "integer", "minimum": 1}
TEXTS = {"type": "object", "additionalProperties": TEXT}
BAG = {
    "type": "object",
    "properties": {"tags": {"type": "array", "uniqueItems": True, "items": TEXT}},
}
MESSAGE = closed("text", text=TEXT, markdown=TEXT, id=TEXT, arguments={"type": "array"})
LEVEL = {"enum": ["none", "note", "warning", "error"]}


def listed(items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


# OASIS SARIF 2.1.0: sarif-schema-2.1.0.json, definitions of the same names.
ARTIFACT = closed(uri={**TEXT, "format": "uri-reference"}, uriBaseId=TEXT, description=MESSAGE)
REGION = closed(startLine=FROM_ONE, startColumn=FROM_ONE, endLine=FROM_ONE, endColumn=FROM_ONE)
LOCATION = closed(
    physicalLocation=closed("artifactLocation", artifactLocation=ARTIFACT, region=REGION),
    logicalLocations=listed(
        closed(name=TEXT, fullyQualifiedName=TEXT, kind=TEXT), uniqueItems=True
    ),
    message=MESSAGE,
)
SUPPRESSION = closed(
    "kind",
    kind={"enum": ["inSource", "external"]},
    status={"enum": ["accepted", "underReview", "rejected"]},
    justification=TEXT,
    location=LOCATION,
    properties=BAG,
)
RESULT = closed(
    "message",
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": -1},
    level=LEVEL,
    kind={"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
    message=MESSAGE,
    locations=listed(LOCATION),
    partialFingerprints=TEXTS,
    fingerprints=TEXTS,
    suppressions=listed(SUPPRESSION, uniqueItems=True),
    properties=BAG,
)
RULE = closed(
    "id",
    id=TEXT,
    name=TEXT,
    shortDescription=closed("text", text=TEXT, markdown=TEXT),
    fullDescription=closed("text", text=TEXT, markdown=TEXT),
    help=closed("text", text=TEXT, markdown=TEXT),
    helpUri={**TEXT, "format": "uri"},
    defaultConfiguration=closed(level=LEVEL, enabled={"type": "boolean"}),
    properties=BAG,
)
RUN = closed(
    "tool",
    tool=closed(
        "driver",
        driver=closed(
            "name",
            name=TEXT,
            version=TEXT,
            informationUri=TEXT,
            rules=listed(RULE, uniqueItems=True),
        ),
    ),
    results=listed(RESULT),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    originalUriBaseIds={"type": "object", "additionalProperties": ARTIFACT},
    automationDetails=closed(id=TEXT, description=MESSAGE),
    invocations=listed(
        closed(
            "executionSuccessful",
            executionSuccessful={"type": "boolean"},
            exitCode={"type": "integer"},
        )
    ),
    properties=BAG,
)
SARIF = closed("version runs", **{"$schema": TEXT}, version={"const": "2.1.0"}, runs=listed(RUN))

# The CustomResourceDefinitions of openreports.io/v1alpha1 and wgpolicyk8s.io/v1alpha2, which agree in these fields.
WORDS = {"enum": ["pass", "fail", "warn", "error", "skip"]}
REFERENCE = closed(apiVersion=TEXT, kind=TEXT, name=TEXT, namespace=TEXT, fieldPath=TEXT, uid=TEXT)


def policy_report(version: str, *kinds: str) -> dict[str, Any]:
    return closed(
        "apiVersion kind metadata",
        apiVersion={"const": version},
        kind={"enum": list(kinds)},
        metadata=closed("name", name=TEXT, namespace=TEXT, labels=TEXTS, annotations=TEXTS),
        scope=REFERENCE,
        summary=closed(**dict.fromkeys(WORDS["enum"], COUNT)),
        results=listed(
            closed(
                "policy",
                source=TEXT,
                policy=TEXT,
                rule=TEXT,
                category=TEXT,
                severity={"enum": ["critical", "high", "low", "medium", "info"]},
                result=WORDS,
                scored={"type": "boolean"},
                message=TEXT,
                resources=listed(REFERENCE),
                properties=TEXTS,
            )
        ),
    )
