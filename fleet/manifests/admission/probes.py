"""What a kubelet asks or runs: probes and lifecycle hooks.

Source: core validateHandler, validateProbe, validateLifecycle.
"""

from collections.abc import Mapping
from typing import Any

from fleet.manifests.admission import faults, rules, texts
from fleet.manifests.admission.tables import Check, Found, Row, below, row

_SOURCE = "core"
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_ONE = "must specify a handler type"
_NOT_TWO = "may not specify more than 1 handler type"


def _handler(written: Mapping[str, Any]) -> Found:
    given = [each for each in written if each in _HANDLERS and written[each] is not None]
    if len(given) == 1:
        return ()
    if not given:
        hint = f"one of {', '.join(_HANDLERS)}"
        return (faults.required(_ONE, hint=hint),)
    in_order = sorted(given, key=_HANDLERS.index)
    return [faults.forbidden(_NOT_TWO, each) for each in in_order[1:]]


def _port_needed(written: Mapping[str, Any]) -> Found:
    """Null is the number zero."""
    if written.get("port") is not None:
        return ()
    return (faults.invalid(0, texts.between(1, 65535), "port"),)


def _headers(written: list[Mapping[str, Any]]) -> Found:
    return [
        faults.invalid(each.get("name") or "", problem)
        for each in written
        for problem in texts.header(each.get("name") or "")
    ]


HANDLER: tuple[Row, ...] = (
    row("", _handler, f"{_SOURCE}: validateHandler"),
    row("exec", rules.filled("command"), f"{_SOURCE}: validateExecAction"),
    row("httpGet", _port_needed, f"{_SOURCE}: ValidatePortNumOrName"),
    row("tcpSocket", _port_needed, f"{_SOURCE}: ValidatePortNumOrName"),
    row("httpGet.port", rules.port, f"{_SOURCE}: validateHTTPGetAction"),
    row(
        "httpGet.scheme",
        rules.among_or_empty("HTTP", "HTTPS"),
        f"{_SOURCE}: validateHTTPGetAction",
    ),
    row("httpGet.httpHeaders", _headers, f"{_SOURCE}: validateHTTPGetAction"),
    row("tcpSocket.port", rules.port, f"{_SOURCE}: validateTCPSocketAction"),
    row("grpc.port", rules.port_number, f"{_SOURCE}: validateGRPCAction"),
)


def _must_be(number: int) -> Check:
    def check(value: int) -> Found:
        if (value or number) == number:
            return ()
        return (faults.invalid(value, f"must be {number}"),)

    return check


def _not_for_readiness(value: int) -> Found:
    return (faults.invalid(value, "must not be set for readinessProbes"),)


def _grace(value: int) -> Found:
    return () if value > 0 else (faults.invalid(value, "must be greater than 0"),)


_NUMBERS = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)
_PROBE: tuple[Row, ...] = (
    *HANDLER,
    *(row(each, rules.not_negative, f"{_SOURCE}: validateProbe") for each in _NUMBERS),
    row("terminationGracePeriodSeconds", _grace, f"{_SOURCE}: validateProbe"),
)
_ONE_SUCCESS = row("successThreshold", _must_be(1), f"{_SOURCE}: validateLivenessProbe")

ROWS: tuple[Row, ...] = (
    *below("livenessProbe", (*_PROBE, _ONE_SUCCESS)),
    *below("startupProbe", (*_PROBE, _ONE_SUCCESS)),
    *below(
        "readinessProbe",
        (
            *_PROBE,
            row(
                "terminationGracePeriodSeconds",
                _not_for_readiness,
                f"{_SOURCE}: validateReadinessProbe",
            ),
        ),
    ),
    *below("lifecycle.postStart", HANDLER),
    *below("lifecycle.preStop", HANDLER),
)
FIELDS = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
