"""JSON has one spelling here, and one reading."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fleet.model import json_values

SCALARS = (
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(some.characters())
)
VALUES = some.recursive(
    SCALARS, lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner), max_leaves=20
)


@given(VALUES)
def test_what_was_written_is_read(value: object):
    assert json_values.decode(json_values.encode(value)) == value


@given(some.dictionaries(some.text(), SCALARS, min_size=2))
def test_the_order_of_keys_changes_no_byte(value: dict[str, object]):
    turned = dict(reversed(value.items()))
    assert json_values.encode(turned) == json_values.encode(value)
    assert json_values.digest(turned) == json_values.digest(value)


@given(VALUES, VALUES)
def test_different_values_have_different_digests(one: object, other: object):
    same_bytes = json_values.encode(one) == json_values.encode(other)
    assert (json_values.digest(one) == json_values.digest(other)) is same_bytes


def test_known_bytes_and_digest():
    value = {"b": [1, True, None, "é\u2028"], "a": {"y": 1.5, "x": ""}}
    assert json_values.encode(value) == (
        '{"a":{"x":"","y":1.5},"b":[1,true,null,"é\u2028"]}'.encode()
    )
    assert json_values.digest({}) == (
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    )


def test_a_lone_surrogate_survives():
    value = {"path": b"caf\xe9".decode("utf-8", "surrogateescape")}
    assert json_values.decode(json_values.encode(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_has_not_are_not_written(value: float):
    with pytest.raises(ValueError, match="JSON"):
        json_values.encode({"share": value})


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", object()])
def test_values_that_json_has_not_are_not_written(value: object):
    with pytest.raises(TypeError):
        json_values.encode(value)


AMBIGUOUS = {
    "duplicate key": b'{"a":1,"a":2}',
    "duplicate key inside": b'{"x":{"a":1,"a":1}}',
    "duplicate key by escape": b'{"a":1,"\\u0061":2}',
    "NaN": b'{"a":NaN}',
    "Infinity": b"[Infinity]",
    "-Infinity": b"[-Infinity]",
    "float beyond all floats": b"[1e999]",
    "nothing": b"",
    "trailing": b"{} {}",
    "comment": b"{} // x",
    "single quotes": b"{'a':1}",
    "leading zero": b"[01]",
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": json.dumps({"a": 1}).encode("utf-16"),
    "UTF-16 without mark": json.dumps({"a": 1}).encode("utf-16-le"),
    "UTF-32": json.dumps({"a": 1}).encode("utf-32-be"),
    "no UTF-8": b'{"a":"\xff"}',
    "number of 5000 digits": b"[" + b"9" * 5000 + b"]",
}


@pytest.mark.threat(65)
@pytest.mark.parametrize("data", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_what_others_might_read_differently_is_refused(data: bytes):
    with pytest.raises(ValueError):
        json_values.decode(data)


@given(some.binary(max_size=40))
def test_any_bytes_are_a_value_or_a_value_error(data: bytes):
    try:
        value = json_values.decode(data)
    except ValueError:
        return
    assert json_values.decode(json_values.encode(value)) == value
