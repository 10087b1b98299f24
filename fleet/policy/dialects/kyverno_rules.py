"""Kyverno's ClusterPolicy and Policy: their rules with `validate.cel`, each a policy of its own, and its autogen.

Rules in Kyverno's other languages are named in findings. What changes objects, makes others or removes them denies
nothing, so that is a warning; whatever could deny is not evaluated, which refuses.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import Field, ValidationError

from fleet.model import findings, kinds
from fleet.policy import criteria, documents, forms, matching, writings
from fleet.policy.dialects import autogen, drafts, kyverno_filters

_CEL_FIELDS = frozenset(
    {"generate", "expressions", "paramKind", "paramRef", "auditAnnotations", "variables"}
)
_BLOCKS = frozenset({"match", "exclude"})
# Languages of a rule that is not CEL's, by the field it is under; whether it could deny.
_LANGUAGES: tuple[tuple[tuple[str, ...], str, bool], ...] = (
    (("validate", "pattern"), "a pattern", True),
    (("validate", "anyPattern"), "patterns", True),
    (("validate", "deny"), "deny conditions", True),
    (("validate", "foreach"), "a foreach", True),
    (("validate", "podSecurity"), "podSecurity", True),
    (("validate", "manifests"), "signatures of manifests", True),
    (("validate", "assert"), "an assertion tree", True),
    (("verifyImages",), "verifyImages", True),
    (("mutate",), "mutate", False),
    (("generate",), "generate", False),
)
_MAX_NAME = 63


class _Override(forms.Form):
    action: Literal["Enforce", "Audit", "enforce", "audit"]
    namespaces: list[str] = Field(default=[])
    namespace_selector: kinds.Selector | None = None


@dataclass(frozen=True, slots=True)
class _Around:
    """Objects in namespaces of these names and with these labels."""

    namespaces: tuple[str, ...]
    selector: str  # for its spelling
    form: kinds.Selector | None = field(repr=False)

    @property
    def names_operations(self) -> bool:
        return False

    def holds(self, asked: matching.Request) -> bool:
        return (
            not self.namespaces or criteria.is_like(self.namespaces, asked.key.namespace)
        ) and (self.form is None or criteria.selects(self.form, asked.namespace_labels or {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """One rule of a policy, as it was written there or as autogen writes it."""

    written: writings.Written
    index: int
    value: Mapping[str, Any] = field(repr=False)
    generated: str = ""

    @property
    def name(self) -> str:
        name = self.value.get("name")
        return (
            findings.escaped(name) if isinstance(name, str) and name else f"rule {self.index + 1}"
        )

    @property
    def title(self) -> str:
        return f"{self.written.name}/{self.name}"

    @property
    def path(self) -> writings.Path:
        return ("spec", "rules", str(self.index))

    def part(self, *steps: str) -> Any:
        found: Any = self.value
        for step in steps:
            found = found.get(step) if isinstance(found, Mapping) else None
        return found

    def unknown(self, message: str, *path: str, hint: str = "") -> findings.Finding:
        return self.written.unknown(message, (*self.path, *path), hint, rule=self.title)

    def warned(self, message: str, *path: str, hint: str = "") -> findings.Finding:
        return self.written.warned(message, (*self.path, *path), hint, rule=self.title)


def translate(written: writings.Written) -> drafts.Translated:
    spec = written.value.get("spec")
    rules = spec.get("rules") if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping) or not isinstance(rules, list) or not rules:
        found = written.unknown("it has no rules", ("spec",))
        return drafts.Translated(findings=(found,))
    listed = [
        _Rule(written=written, index=n, value=each)
        for n, each in enumerate(rules)
        if isinstance(each, Mapping)
    ]
    wrong = [
        written.unknown("a rule is a mapping", ("spec", "rules", str(n)))
        for n, each in enumerate(rules)
        if not isinstance(each, Mapping)
    ]
    parts = [_translated(each, spec, listed) for each in listed]
    return drafts.merged([*parts, drafts.Translated(findings=tuple(wrong))])


def _translated(rule: _Rule, spec: Mapping[str, Any], listed: list[_Rule]) -> drafts.Translated:
    others = tuple(_in_other_languages(rule))
    if not isinstance(rule.part("validate", "cel"), Mapping):
        nothing = () if others else (rule.unknown("not evaluated: it has no validate.cel"),)
        return drafts.Translated(findings=(*others, *nothing))
    wrong = (*others, *_unsound_overrides(rule, spec))
    if len(wrong) > len(others):
        return drafts.Translated(findings=wrong)
    try:
        blocks = [_blocks(each) for each in listed if _may_validate(each)]
        written = [rule, *_generated(rule, blocks, rule.written.annotations)]
        made = [_draft(each, spec) for each in written]
    except ValidationError as error:
        return drafts.Translated(findings=(*others, *_refused(rule, error)))
    found = (*others, *_asked(rule), *_unread(rule))
    return drafts.merged([drafts.translated(made), drafts.Translated(findings=found)])


def _may_validate(rule: _Rule) -> bool:
    return isinstance(rule.part("match"), Mapping)


def _blocks(rule: _Rule) -> tuple[kyverno_filters.Block, kyverno_filters.Block | None]:
    match = kyverno_filters.Block.model_validate(rule.part("match") or {})
    exclude = rule.part("exclude")
    return match, kyverno_filters.Block.model_validate(exclude) if exclude else None


def _refused(rule: _Rule, error: ValidationError) -> Iterator[findings.Finding]:
    for where, why in writings.faults(error):
        yield rule.unknown(f"its match or exclude cannot be read: {why}", "match", *where)


def _in_other_languages(rule: _Rule) -> Iterator[findings.Finding]:
    for path, what, denies in _LANGUAGES:
        if rule.part(*path):
            say = rule.unknown if denies else rule.warned
            hint = "write it in CEL" if denies else "objects are judged as they are written"
            yield say(f"not evaluated: rule {rule.name} is in {what}", *path, hint=hint)
    for name in ("preconditions", "context"):
        if rule.part(name) and rule.part("validate", "cel"):
            yield rule.unknown(f"not evaluated: {name} of rule {rule.name}", name)


def _asked(rule: _Rule) -> Iterator[findings.Finding]:
    """Users, who are known to nobody before admission."""
    match, exclude = _blocks(rule)
    if any(each.names_users for each in match.filters):
        message = "it is for some users: not evaluated, it is held against everybody's objects"
        yield rule.warned(message, "match")
    if exclude is not None and any(each.names_users for each in exclude.filters):
        yield rule.warned("it excludes users: not evaluated, nobody is excluded", "exclude")


def _unread(rule: _Rule) -> Iterator[findings.Finding]:
    for name in rule.part("validate", "cel"):
        if name not in _CEL_FIELDS:
            message = f"validate.cel.{name} is no field of Kyverno's"
            yield rule.unknown(message, "validate", "cel", name)


def _draft(rule: _Rule, spec: Mapping[str, Any]) -> drafts.Draft:
    match, exclude = _blocks(rule)
    criterion = kyverno_filters.criterion(match, exclude)
    namespace, where = "", rule.written
    if where.kind == "Policy":
        namespace = str(where.metadata.get("namespace") or "default")
        criterion = criteria.Every((criteria.Inside(namespace), criterion))
    return drafts.Draft(
        key=f"{where.kind}/{namespace}/{rule.title}/{rule.generated}",
        title=rule.title,
        written=where,
        spec=_spec(rule),
        dialect=_dialect(rule),
        criterion=criterion,
        actions=_actions(rule, spec),
        param_ref=_param_ref(rule),
        is_generated=bool(rule.generated),
    )


def _dialect(rule: _Rule) -> documents.Dialect:
    cel = (*rule.path, "validate", "cel")
    return documents.Dialect(
        paths={
            "validations": (*cel, "expressions"),
            "variables": (*cel, "variables"),
            "auditAnnotations": (*cel, "auditAnnotations"),
            "paramKind": (*cel, "paramKind"),
            "matchConditions": (*rule.path, "celPreconditions"),
        }
    )


def _spec(rule: _Rule) -> dict[str, Any]:
    cel = rule.part("validate", "cel")
    written = {
        "paramKind": cel.get("paramKind"),
        "variables": cel.get("variables"),
        "auditAnnotations": cel.get("auditAnnotations"),
        "matchConditions": drafts.conditions(rule.part("celPreconditions")),
        "validations": _validations(cel.get("expressions"), rule.part("validate", "message")),
    }
    present = {key: value for key, value in written.items() if value is not None}
    return {"matchConstraints": drafts.ANYTHING, **present}


def _validations(expressions: Any, message: Any) -> Any:
    """With the rule's message where an expression has none."""
    if not isinstance(expressions, list) or not isinstance(message, str) or not message:
        return expressions
    return [
        {**each, "message": message}
        if isinstance(each, Mapping) and not each.get("message")
        else each
        for each in expressions
    ]


def _param_ref(rule: _Rule) -> Mapping[str, Any] | None:
    reference = rule.part("validate", "cel", "paramRef")
    if not isinstance(reference, Mapping):
        return None
    return {"parameterNotFoundAction": "Deny", **reference}


def _overrides(rule: _Rule, spec: Mapping[str, Any]) -> list[Any]:
    own = rule.part("validate", "failureActionOverrides")
    found = own or spec.get("validationFailureActionOverrides")
    return found if isinstance(found, list) else []


def _unsound_overrides(rule: _Rule, spec: Mapping[str, Any]) -> Iterator[findings.Finding]:
    for n, each in enumerate(_overrides(rule, spec)):
        try:
            _Override.model_validate(each)
        except ValidationError as error:
            for where, why in writings.faults(error):
                message = f"its override {n + 1} of the action cannot be read: {why}"
                yield rule.unknown(message, "validate", "failureActionOverrides", str(n), *where)


def _actions(rule: _Rule, spec: Mapping[str, Any]) -> tuple[drafts.Action, ...]:
    """By namespace, the first that fits; then the rule's own, then the policy's."""
    overrides = [_Override.model_validate(each) for each in _overrides(rule, spec)]
    general = (
        rule.part("validate", "failureAction") or spec.get("validationFailureAction") or "Audit"
    )
    arounds = [
        _Around(tuple(each.namespaces), repr(each.namespace_selector), each.namespace_selector)
        for each in overrides
    ]
    found = []
    for n, (each, around) in enumerate(zip(overrides, arounds, strict=True)):
        apart = criteria.Opposite(criteria.Some(tuple(arounds[:n])))
        found.append(drafts.Action(_word(each.action, spec), criteria.Every((around, apart))))
    rest = criteria.Opposite(criteria.Some(tuple(arounds))) if arounds else criteria.ALWAYS
    return (*found, drafts.Action(_word(general, spec), rest))


def _word(action: Any, spec: Mapping[str, Any]) -> str:
    if spec.get("admission") is not False and str(action).lower() == "enforce":
        return "Deny"
    return "Warn" if spec.get("emitWarning") is True else "Audit"


Blocks = tuple[kyverno_filters.Block, kyverno_filters.Block | None]


def _generated(
    rule: _Rule, blocks: Iterable[Blocks], annotations: Mapping[str, str]
) -> Iterator[_Rule]:
    """The rule for what makes Pods, where it is one for Pods and nothing in the policy speaks against it."""
    match, exclude = _blocks(rule)
    excluded = (
        [kind for each in exclude.filters for kind in each.resources.kinds] if exclude else []
    )
    if not _names_pods(match) or (excluded and not _has_pod(excluded)):
        return
    if not all(
        _allows(each) for pair in blocks for block in pair if block for each in block.filters
    ):
        return
    for template, group in autogen.by_template(_controllers(annotations)).items():
        name = autogen.NAMES[template]
        yield _moved(rule, template, [each.in_full for each in group], name)


def _names_pods(match: kyverno_filters.Block) -> bool:
    return any(_has_pod(each.resources.kinds) for each in match.filters)


def _has_pod(patterns: Iterable[str]) -> bool:
    return any(kyverno_filters.kind_of(each) == "Pod" for each in patterns)


def _allows(each: kyverno_filters.Filter) -> bool:
    resources = each.resources
    is_mixed = len(resources.kinds) > 1 and _has_pod(resources.kinds)
    is_named = resources.name or resources.names or resources.annotations
    return not (is_named or resources.selector is not None or is_mixed)


def _controllers(annotations: Mapping[str, str]) -> list[autogen.Controller]:
    asked = annotations.get(autogen.ANNOTATION)
    if asked is None or asked == "all":
        return list(autogen.CONTROLLERS)
    wanted = {each.strip() for each in asked.split(",")}
    return [each for each in autogen.CONTROLLERS if each.kind in wanted]


def _moved(rule: _Rule, template: str, controllers: list[str], name: str) -> _Rule:
    every = name == "autogen-cronjob"
    value = autogen.moved(
        {key: each for key, each in rule.value.items() if key not in _BLOCKS},
        template,
        keeps_names=False,
    )
    blocks = {
        key: _exchanged(rule.part(key), controllers, every=every)
        for key in _BLOCKS
        if rule.part(key)
    }
    return replace(rule, value={**value, **blocks, "name": rule.name}, generated=name)


def _exchanged(block: Any, controllers: list[str], *, every: bool) -> dict[str, Any]:
    """A block with the controllers where it names Pods."""

    def renamed(value: Any) -> Any:
        resources = value.get("resources") if isinstance(value, Mapping) else None
        if not isinstance(resources, Mapping):
            return value
        is_theirs = every or _has_pod(resources.get("kinds") or [])
        return {**value, "resources": {**resources, "kinds": controllers}} if is_theirs else value

    inner = {
        key: [renamed(each) for each in block[key]] for key in ("any", "all") if block.get(key)
    }
    return {**renamed(block), **inner} if not inner else {**block, **inner}
