"""Webhook configurations. Source: admissionregistration validation, apiserver pkg/util/webhook/validation.go."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib import parse

from fleet.manifests.admission import faults, labels, rules, texts
from fleet.manifests.admission.tables import Check, Found, Row, below, row

_VERSIONS = ("v1", "v1beta1")
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SOURCE = "admissionregistration: validateValidatingWebhook"


def _name(written: Mapping[str, Any]) -> Found:
    name = written.get("name") or ""
    if not name:
        return (faults.required("", "name"),)
    problems = texts.subdomain(name)
    if problems:
        return (faults.invalid(name, ",".join(problems), "name"),)
    if name.count(".") < 2:
        said = "should be a domain with at least three segments separated by dots"
        return (faults.invalid(name, said, "name"),)
    return ()


def _side_effects(written: Mapping[str, Any]) -> Found:
    word, known = written.get("sideEffects"), ("None", "NoneOnDryRun")
    if word is None:
        return (faults.required(f"must specify one of {', '.join(known)}", "sideEffects"),)
    return () if word in known else (faults.unsupported(word, known, "sideEffects"),)


def _versions(written: Mapping[str, Any]) -> Found:
    versions = written.get("admissionReviewVersions") or []
    if not versions:
        said = f"must specify one of {', '.join(_VERSIONS)}"
        return (faults.required(said, "admissionReviewVersions"),)
    return faults.below(_each_version(versions), "admissionReviewVersions")


def _each_version(versions: list[str]) -> Iterable[faults.Fault]:
    seen: set[str] = set()
    for place, each in enumerate(versions):
        if each in seen:
            yield faults.invalid(each, "duplicate version", place)
        else:
            yield from faults.each_invalid(each, texts.label_1035(each), place)
        seen.add(each)
    if not seen & set(_VERSIONS):
        yield faults.invalid(versions, f"must include at least one of {', '.join(_VERSIONS)}")


def _client(written: Mapping[str, Any]) -> Found:
    config = written.get("clientConfig") or {}
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        return (faults.required("exactly one of url or service is required", "clientConfig"),)
    found = _url(url) if url is not None else _service(service or {})
    return faults.below(found, "clientConfig")


def _url(url: str) -> Iterable[faults.Fault]:
    try:
        parts = parse.urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        yield faults.required(
            f"url must be a valid URL: {error}; desired format: https://host[/path]", "url"
        )
        return
    form = "; desired format: https://host[/path]"
    if parts.scheme != "https":
        said = f"'https' is the only allowed URL scheme{form}"
        yield faults.invalid(parts.scheme, said, "url")
    if not host:
        yield faults.invalid(parts.netloc, f"host must be specified{form}", "url")
    if parts.username is not None:
        yield faults.invalid(
            parts.netloc.rpartition("@")[0], "user information is not permitted in the URL", "url"
        )
    if parts.fragment:
        yield faults.invalid(parts.fragment, "fragments are not permitted in the URL", "url")
    if parts.query:
        said = "query parameters are not permitted in the URL"
        yield faults.invalid(parts.query, said, "url")


# As the API server names them: it calls its own rule with name and namespace the other way round.
_SWAPPED = {"name": "namespace", "namespace": "name"}


def _service(service: Mapping[str, Any]) -> Iterable[faults.Fault]:
    for field, named in _SWAPPED.items():
        if not service.get(field):
            yield faults.written_at(faults.required("", "service", named), "service", field)
    port = service.get("port")
    if port is not None and not 1 <= port <= 65535:
        said = "port is not valid: " + texts.between(1, 65535)
        yield faults.invalid(port, said, "service", "port")
    path = service.get("path") or "/"
    yield from faults.each_invalid(path, _path(path), "service", "path")


def _path(path: str) -> Iterable[str]:
    if path in ("/", "//"):
        return [] if path == "/" else ["segment[0] may not be empty"]
    start = [] if path.startswith("/") else ["must start with a '/'"]
    steps = path[1:].removesuffix("/").split("/")
    return [*start, *(said for place, step in enumerate(steps) for said in _segment(place, step))]


def _segment(place: int, step: str) -> Iterable[str]:
    if not step:
        return [f"segment[{place}] may not be empty"]
    return [f"segment[{place}]: {each}" for each in texts.subdomain(step)]


def _alone(field: str, words: str) -> Check:
    def check(written: Mapping[str, Any]) -> Found:
        values = written.get(field) or []
        if not values:
            return (faults.required("", field),)
        if len(values) > 1 and "*" in values:
            said = f"if '*' is present, must not specify other {words}"
            return (faults.invalid(values, said, field),)
        return ()

    return check


def _resources(written: Mapping[str, Any]) -> Found:
    values = written.get("resources") or []
    found = [] if values else [faults.required("", "resources")]
    found += [faults.required("", "resources", place) for place, e in enumerate(values) if not e]
    if len(values) > 1 and "*/*" in values:
        said = "if '*/*' is present, must not specify other resources"
        found.append(faults.invalid(values, said, "resources"))
    if "*" in values and any(each not in ("", "*") and "/" not in (each or "") for each in values):
        said = "if '*' is present, must not specify other resources without subresources"
        found.append(faults.invalid(values, said, "resources"))
    return found


_RULE: tuple[Row, ...] = (
    row(
        "", _alone("operations", "operations"), "admissionregistration: validateRuleWithOperations"
    ),
    row("", _alone("apiGroups", "API groups"), "admissionregistration: validateRule"),
    row("", _alone("apiVersions", "API versions"), "admissionregistration: validateRule"),
    row("", _resources, "admissionregistration: validateResources"),
    row(
        "operations[]",
        rules.among(*_OPERATIONS),
        "admissionregistration: validateRuleWithOperations",
    ),
    row("scope", rules.among("*", "Cluster", "Namespaced"), "admissionregistration: validateRule"),
)
_HOOK: tuple[Row, ...] = (
    row("", _name, "apimachinery: IsFullyQualifiedName"),
    row("", _side_effects, _SOURCE),
    row("", _versions, "admissionregistration: validateAdmissionReviewVersions"),
    row("", _client, "apiserver: ValidateWebhookURL, ValidateWebhookService"),
    row("failurePolicy", rules.among("Fail", "Ignore"), _SOURCE),
    row("matchPolicy", rules.among("Equivalent", "Exact"), _SOURCE),
    row(
        "reinvocationPolicy",
        rules.among("IfNeeded", "Never"),
        "admissionregistration: validateMutatingWebhook",
    ),
    row(
        "timeoutSeconds",
        rules.within(1, 30, "the timeout value must be between 1 and 30 seconds"),
        _SOURCE,
    ),
    *below("namespaceSelector", labels.SELECTOR),
    *below("objectSelector", labels.SELECTOR),
    *below("rules[]", _RULE),
)
CONFIGURATION: tuple[Row, ...] = (
    row(
        "webhooks",
        rules.unique("name"),
        "admissionregistration: validateValidatingWebhookConfiguration",
    ),
    *below("webhooks[]", _HOOK),
)
