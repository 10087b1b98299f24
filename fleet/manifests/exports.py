"""JSON Schemas of our own kinds, drawn from the same models that read them."""

import json
from typing import Any

from fleet.model import kinds

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schemas() -> dict[str, dict[str, Any]]:
    """By kind."""
    return {
        kind: {
            "$schema": _DIALECT,
            "$id": f"urn:fleetgate:v1alpha1:{kind}",
            **model.model_json_schema(),
        }
        for kind, model in kinds.KINDS.items()
    }


def text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2) + "\n"
