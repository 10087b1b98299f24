"""Copies of JSON values: a server that hands out what it holds would be changed by whoever gets it."""

from typing import Any


def of(value: Any) -> Any:
    """As copy.deepcopy, several times as fast, for what JSON can say."""
    if isinstance(value, dict):
        return {key: of(each) for key, each in value.items()}
    if isinstance(value, list):
        return [of(each) for each in value]
    return value
