"""The policies of a folder as one page for people: what each asks, why, how hard it is meant, how to mend it.

All of it stands in the policies themselves: their annotations, their bindings, their examples.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fleet.model import findings, kinds
from fleet.policy import documents, forms, policies

TITLE, CATEGORY, WHY, LINKS = (
    f"fleetgate.dev/{word}" for word in ("title", "category", "why", "links")
)
_OTHERS = "Others"
_ACTIONS = {
    findings.Severity.DENY: "denies",
    findings.Severity.WARN: "warns",
    findings.Severity.AUDIT: "notes",
}

_OPERATORS = {
    kinds.Operator.IN: "is one of",
    kinds.Operator.NOT_IN: "is none of",
    kinds.Operator.EXISTS: "is set",
    kinds.Operator.DOES_NOT_EXIST: "is not set",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """YAML of one object each. "" = there is none."""

    good: str = ""
    bad: str = ""


def page(
    book: policies.PolicySet, examples: Mapping[str, Examples], title: str, preface: str
) -> str:
    """Markdown: a table of each category, then a section of each policy."""
    chapters = _chapters(book)
    parts = [f"# {title}", preface.strip()]
    for category, found in chapters.items():
        parts += [f"## {category}", _table(found, book)]
    for category, found in chapters.items():
        parts.append(f"## {category}, one by one")
        parts += [_section(each, book, examples.get(each.name, Examples())) for each in found]
    return "\n\n".join(parts) + "\n"


def first(texts: Mapping[str, str]) -> str:
    """The first document of files by path."""
    found = (
        each.strip("\n")
        for path in sorted(texts)
        for each in f"\n{texts[path]}".split("\n---\n")
        if each.strip()
    )
    return next(found, "")


def _chapters(book: policies.PolicySet) -> dict[str, list[documents.Policy]]:
    found: dict[str, list[documents.Policy]] = {}
    for name in sorted(book.policies):
        policy = book.policies[name]
        found.setdefault(_said(policy, CATEGORY) or _OTHERS, []).append(policy)
    return dict(sorted(found.items(), key=lambda each: (each[0] == _OTHERS, each[0])))


def _table(found: list[documents.Policy], book: policies.PolicySet) -> str:
    rows = [
        f"| [{_cell(each.name)}](#{each.name}) | {_cell(_title(each))} "
        f"| {_cell(each.level) or '-'} | {', '.join(_enforced(each, book)) or 'not bound'} |"
        for each in found
    ]
    return "\n".join(["| policy | asks | severity | does |", "|---|---|---|---|", *rows])


def _section(policy: documents.Policy, book: policies.PolicySet, shown: Examples) -> str:
    return "\n\n".join([f"### {policy.name}", *_words(policy, book), *_shown(shown)])


def _words(policy: documents.Policy, book: policies.PolicySet) -> Iterator[str]:
    yield f"**{_line(_title(policy))}.** {_line(_said(policy, WHY))}".strip()
    enforced = ", ".join(_enforced(policy, book)) or "bound by nothing: it does nothing"
    facts = [
        f"severity: {_line(policy.level) or 'not said'}; {enforced}",
        f"looks at: {_kinds(policy.form)}",
    ]
    if policy.hint:
        facts.append(f"to mend it: {_line(policy.hint)}")
    if policy.param_kind is not None:
        version, kind = policy.param_kind
        facts.append(f"takes its settings from a {_line(kind)} ({_line(version)})")
    facts += [f"see <{each}>" for each in _said(policy, LINKS).split()]
    yield "\n".join(f"- {each}" for each in facts)


def _shown(shown: Examples) -> Iterator[str]:
    for summary, text in (("What it finds", shown.bad), ("What passes", shown.good)):
        if text:
            fence = _fence(text)
            head = f"<details><summary>{summary}</summary>"
            yield f"{head}\n\n{fence}yaml\n{text}\n{fence}\n\n</details>"


def _fence(text: str) -> str:
    """Longer than whatever the text itself holds."""
    fence = "```"
    while fence in text:
        fence += "`"
    return fence


def _enforced(policy: documents.Policy, book: policies.PolicySet) -> list[str]:
    """What its bindings do, each thing once, the hardest first."""
    found = {
        (each.severity, ", ".join(each.environments or ()), _selects(each))
        for each in book.bindings
        if each.policy == policy.name
    }
    order = list(findings.Severity)
    rows = sorted(found, key=lambda each: (order.index(each[0]), *each[1:]))
    return [
        _ACTIONS[severity]
        + (f" in {_cell(where)}" if where else "")
        + (f" where {_cell(labels)}" if labels else "")
        for severity, where, labels in rows
    ]


def _selects(binding: documents.Binding) -> str:
    """The labels that a Namespace has, in words."""
    selector = binding.form.spec.match_resources.namespace_selector
    equal = [f"{key} is {value}" for key, value in sorted(selector.match_labels.items())]
    others = [
        f"{each.key} {_OPERATORS[each.operator]} {', '.join(each.values)}".strip()
        for each in selector.match_expressions
    ]
    return " and ".join([*equal, *others])


def _kinds(form: forms.Policy) -> str:
    found: dict[str, None] = {}
    for rule in form.spec.match_constraints.resource_rules:
        for resource in rule.resources:
            group = ", ".join(each or "core" for each in rule.api_groups)
            every = "everything" if resource == "*" else resource
            found[f"{every} ({group} {', '.join(rule.api_versions)})"] = None
    return _line(", ".join(found))


def _title(policy: documents.Policy) -> str:
    return _said(policy, TITLE) or policy.name


def _said(policy: documents.Policy, key: str) -> str:
    return policy.form.metadata.annotations.get(key, "").strip()


def _line(text: str) -> str:
    """One line of prose in which no HTML, no emphasis and no code begins."""
    text = " ".join(findings.escaped(text.replace("\n", " ")).split())
    return "".join(f"\\{c}" if c in "\\`*<>[]" else c for c in text)


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")
