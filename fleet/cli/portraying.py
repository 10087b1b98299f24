"""What `fleet policy explain` says, for people: the JSON of it in lines."""

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from fleet.audit.reports import texts
from fleet.cli import output
from fleet.model import findings

_ABOUT = ("why", "hint", "category", "severity", "links")
_RESULTS = {"true": "green", "false": "bold red", "error": "bold red", "not asked": "dim"}
_OUTCOMES = {"denies": "bold red", "error": "bold red", "admits": "green"}
_SHOWN = 300  # characters of an expression

Json = dict[str, Any]
Line = tuple[int, str, str]  # depth, text, style


def text(told: Json) -> None:
    sink = output.Sink.standard()
    for depth, words, style in _lines(told):
        sink.line(Text(f"{'  ' * depth}{_safe(words)}", style=style))


def _safe(words: str) -> str:
    return texts.harmless(findings.escaped(words))


def _lines(told: Json) -> Iterator[Line]:
    for each in told["policies"]:
        yield from _policy(each, told["environment"])
    if told["baseline"]:
        yield 1, f"fleet.yaml: baseline in {told['environment']}: what runs has too only warns", ""
    for each in told["findings"]:
        where = f"{each['path']}:{each['line']}"
        yield 0, f"{where}: {each['severity']}: {each['rule']}: {each['message']}", "yellow"
        if each["hint"]:
            yield 1, f"hint: {each['hint']}", "dim"


def _policy(policy: Json, environment: str) -> Iterator[Line]:
    title = f": {policy['title']}" if policy["title"] else ""
    yield 0, f"{policy['name']}{title}", "bold"
    generated = ", made for other kinds" if policy["generated"] else ""
    where = f"{policy['path']}:{policy['line']}"
    yield 1, f"{policy['kind']} of {policy['apiVersion']}{generated}, in {where}", ""
    yield from ((1, f"{word}: {policy[word]}", "") for word in _ABOUT if policy[word])
    yield from _enforced(policy, environment)
    if policy["objects"]:
        for each in policy["objects"]:
            yield from _object(each, environment)
    else:
        yield from _written(policy)


def _enforced(policy: Json, environment: str) -> Iterator[Line]:
    for each in policy["bindings"]:
        yield 1, _binding(each, environment), "" if each["countsHere"] else "dim"
    if not policy["bindings"]:
        yield 1, "no binding names it: it judges nothing", "yellow"
    for name, word in policy["enforcement"].items():
        yield 1, f"fleet.yaml: enforced as {word} in {name}", ""
    for each in policy["waivers"]:
        ended = "ended" if each["ended"] else "until"
        said = f"waiver {each['waiver']} of {each['owner']} {ended} {each['until']}"
        yield 1, f"{said} ({each['ticket']}): {each['reason']}", "dim" if each["ended"] else "cyan"


def _binding(each: Json, environment: str) -> str:
    where = each["environments"]
    here = "" if each["countsHere"] else f", not in {environment}"
    said = f"binding {each['name']} ({each['path']}:{each['line']}): {', '.join(each['actions'])}"
    said += f" in {'every environment' if where is None else ', '.join(where) or 'none'}{here}"
    said += f"; {' and '.join(each['match'])}" if each["match"] else ""
    return f"{said}; parameters: {each['params']}" if each["params"] else said


def _written(policy: Json) -> Iterator[Line]:
    yield from ((1, f"match: {each}", "") for each in policy["match"])
    for word in ("conditions", "variables"):
        for each in policy[word]:
            yield 1, f"{word[:-1]} {each['name']}: {_short(each['expression'])}", ""
            yield from _fault(each)
    for each in policy["validations"]:
        yield 1, f"validation: {_short(each['expression'])}", ""
        if each["message"]:
            yield 2, f"message: {_short(each['message'])}", "dim"
        yield from _fault(each)


def _fault(each: Json) -> Iterator[Line]:
    if each["fault"]:
        yield 2, f"does not compile: {each['fault']}", "bold red"


def _object(found: Json, environment: str) -> Iterator[Line]:
    clusters = f" ({', '.join(found['clusters'])})" if found["clusters"] else ""
    style = _OUTCOMES.get(found["outcome"], "yellow")
    yield 1, f"{found['path']}:{found['line']}: {found['subject']}{clusters}", "bold"
    yield 2, found["outcome"], style
    yield from _criteria(found["match"])
    for each in found["bindings"]:
        yield from _hearing(each)
    if found["effects"]:
        yield 2, f"in {environment}: {', '.join(sorted(set(found['effects'])))}", style
    if found["waivedBy"]:
        yield 2, f"waived by {', '.join(found['waivedBy'])}", "cyan"


def _criteria(criteria: list[Json]) -> Iterator[Line]:
    for each in criteria:
        yield 2, f"match {'yes' if each['holds'] else 'no '} {each['words']}", ""


def _hearing(each: Json) -> Iterator[Line]:
    params = f", parameters {each['params']}" if each["params"] else ""
    yield 2, f"binding {each['name']}{params}: {each['outcome']}", ""
    yield from _criteria(each["match"])
    if each["fault"]:
        yield 3, f"parameters: {each['fault']}", "bold red"
    for word in ("conditions", "variables", "validations"):
        for step in each[word]:
            yield from _step(word[:-1], step)


def _step(word: str, step: Json) -> Iterator[Line]:
    is_variable = step["result"] == "value" or word == "variable"
    result = step["value"] if is_variable and step["result"] != "error" else step["result"]
    sign = " =" if is_variable else ":"
    yield 3, f"{word} {step['name']}{sign} {result}", _RESULTS.get(step["result"], "")
    if not is_variable:
        yield 4, _short(step["expression"]), "dim"
    if step["message"]:
        yield 4, step["message"], ""
    if step["decided"]:
        yield 4, _decided(step["decided"]), "yellow"


def _decided(decided: Json) -> str:
    owner = f" of variable {decided['variable']}" if decided["variable"] else ""
    at = f"{decided['path']}:{decided['line']}"
    at += f":{decided['column']}" if decided["column"] else ""
    field = f"{'.'.join(decided['field'])} ({at})"
    if not decided["expression"]:
        return f"decided by {field}"
    text = _short(decided["expression"])
    return f"decided by {text} at character {decided['character']}{owner}, of {field}"


def _short(expression: str) -> str:
    text = " ".join(expression.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
