"""What a commit says about the fleet: the documents of our own kinds, strictly read, each with its place."""

import base64
import binascii
import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fleet.manifests import asking, layout, parse
from fleet.model import approving, findings, json_values, kinds, ledger, names, objects, strict
from fleet.model import permits as allowed

Kind = TypeVar("Kind", bound=strict.Strict)

FLEET_FILE = "fleet.yaml"
_CRD = "CustomResourceDefinition"
_Place = findings.Place  # inside Declared the module's name is a field's
_AT_TOP = _Place(path=FLEET_FILE)
_KEY_BYTES, _PROOF_BYTES = 32, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration(Generic[Kind]):
    """A document of ours with the place where it stands."""

    document: Kind
    place: findings.Place

    @property
    def folder(self) -> str:
        return self.place.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A document that judges, or that judging needs: policies, bindings, parameters, CRDs."""

    value: Mapping[str, Any] = field(repr=False)
    source: objects.Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    fleet: kinds.Fleet | None
    spec: kinds.EnvironmentSpec  # of this environment; blank when fleet.yaml does not name it
    clusters: tuple[Declaration[kinds.Cluster], ...]
    bundles: tuple[Declaration[kinds.Bundle], ...]
    permits: tuple[Declaration[kinds.Permit], ...]
    waivers: tuple[Declaration[kinds.Waiver], ...]
    rules: tuple[Rule, ...]
    findings: tuple[findings.Finding, ...]
    fleet_place: _Place = _AT_TOP
    trust: tuple[
        approving.TrustFile, ...
    ] = ()  # from version 1 on; each follows from the one before

    @property
    def gates(self) -> names.Digest:
        """Of the environment's settings; what is as it always was is left out, so that a newer fleet agrees."""
        said = self.spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return json_values.digest(said)

    @property
    def permits_only(self) -> tuple[allowed.Permit, ...]:
        return tuple(each.document.carried() for each in self.permits)

    @property
    def crds(self) -> tuple[Rule, ...]:
        return tuple(each for each in self.rules if each.value.get("kind") == _CRD)

    def place_of(self, cluster: names.Cluster) -> _Place:
        places = (e.place for e in self.clusters if e.document.metadata.name == cluster)
        return next(places, findings.Place(path=FLEET_FILE))


def read(files: Iterable[parse.Parsed], where: layout.Layout) -> Declared:
    """Everything that counts on this environment's branch. `files` are parsed and not inert."""
    reader = _Reader(where)
    for parsed in files:
        reader.file(parsed)
    return reader.result()


def fleet_of(parsed: parse.Parsed) -> tuple[kinds.Fleet | None, tuple[findings.Finding, ...]]:
    """What fleet.yaml says by itself, before there is a road to read the rest by."""
    reader = _Reader(layout.Layout(environment=names.Environment("none"), owned=layout.OWNED))
    reader.file(parsed)
    return reader.fleet, (*parsed.findings, *reader.found)


def road_of(fleet: kinds.Fleet) -> ledger.Road:
    steps = tuple(
        ledger.Step(
            environment=names.Environment(each.name), branch=names.Branch(each.branch or each.name)
        )
        for each in fleet.spec.environments
    )
    return ledger.Road(steps=steps, owned=(*layout.OWNED, *fleet.spec.owned_paths))


class _Reader:
    """Collects; one file after the other, all findings at once."""

    def __init__(self, where: layout.Layout) -> None:
        self._where = where
        self._found: list[findings.Finding] = []
        self._rules: list[Rule] = []
        self._declared: dict[str, list[Declaration[Any]]] = {kind: [] for kind in kinds.KINDS}

    def file(self, parsed: parse.Parsed) -> None:
        part = self._where.part(parsed.path)
        in_policies = part is layout.Part.OWNED and "/policies/" in parsed.path
        judges = in_policies or part is layout.Part.RULES
        for document in parsed.documents:
            value = document.value
            source = objects.Source(
                path=parsed.path, line=document.line, blob=parsed.blob, index=document.index
            )
            if _is_ours(value):
                self._ours(value, source)
            elif part is layout.Part.CONTENT:
                message = "a file of fleet's own documents holds nothing else"
                self._deny(source.place, message, "move this document to a file beside it")
            elif isinstance(value, dict) and (judges or value.get("kind") == _CRD):
                self._rules.append(Rule(value=value, source=source))

    @property
    def found(self) -> tuple[findings.Finding, ...]:
        return tuple(self._found)

    @property
    def fleet(self) -> kinds.Fleet | None:
        fleets = self._declared["Fleet"]
        return fleets[0].document if fleets else None

    def result(self) -> Declared:
        self._duplicates()
        fleet = self.fleet
        if fleet is None and not self._found:
            message = f"there is no {FLEET_FILE} that can be read"
            self._deny(findings.Place(path=FLEET_FILE), message, "start one with: fleet init")
        return Declared(
            fleet=fleet,
            spec=self._spec(fleet),
            clusters=tuple(self._declared["Cluster"]),
            bundles=tuple(self._declared["Bundle"]),
            permits=tuple(self._declared["Permit"]),
            waivers=tuple(self._declared["Waiver"]),
            rules=tuple(self._rules),
            findings=tuple(self._found),
            fleet_place=next((each.place for each in self._declared["Fleet"]), _AT_TOP),
        )

    def _spec(self, fleet: kinds.Fleet | None) -> kinds.EnvironmentSpec:
        here = self._where.environment
        blank = kinds.EnvironmentSpec(name=here)
        if fleet is None:
            return blank
        self._twins(fleet.spec.environments)
        found = next((each for each in fleet.spec.environments if each.name == here), None)
        if found is None:
            place = findings.Place(path=FLEET_FILE)
            self._deny(place, f"it does not name environment {here}, whose branch this is")
        return found or blank

    def _twins(self, environments: Iterable[kinds.EnvironmentSpec]) -> None:
        """Two environments of one name or on one branch, or two waves of one name, could not be told apart."""
        seen: set[str] = set()
        for each in environments:
            for word in (f"environment {each.name}", f"branch {each.branch or each.name}",
                         *(f"wave {wave.name} of {each.name}" for wave in each.waves)):  # fmt: skip
                if word in seen:
                    self._deny(findings.Place(path=FLEET_FILE), f"{word} is there twice")
                seen.add(word)

    def _ours(self, value: Mapping[str, Any], source: objects.Source) -> None:
        kind = value.get("kind")
        if not isinstance(kind, str) or kind not in kinds.KINDS:
            hint = _meant(str(kind), kinds.KINDS)
            self._deny(source.place, f"kind {kind!r} is none of {kinds.GROUP}", hint)
            return
        try:
            document = kinds.KINDS[kind].model_validate(value, by_alias=True, by_name=False)
        except ValidationError as error:
            model = kinds.KINDS[kind]
            self._found += [_fault(each, model, source.place) for each in error.errors()]
            return
        misplaced = _misplaced(document, source.path, self._where)
        if misplaced:
            self._deny(source.place, misplaced)
            return
        self._found += _malformed(document, source.place)
        self._declared[kind].append(Declaration(document=document, place=source.place))

    def _duplicates(self) -> None:
        for kind, declared in self._declared.items():
            first: dict[str, Declaration[Any]] = {}
            for each in declared:
                name = _name_of(kind, each)
                other = first.setdefault(name, each)
                if other is not each:
                    message = f"{kind} {each.document.metadata.name} is already in {other.place}"
                    self._deny(each.place, message, "remove or rename one of them")

    def _deny(self, place: findings.Place, message: str, hint: str = "") -> None:
        said, helped = findings.escaped(message), findings.escaped(hint)
        self._found.append(findings.deny("fleet", place, said, hint=helped))


def _name_of(kind: str, declaration: Declaration[Any]) -> str:
    """What two documents of a kind may not share. There is one Fleet; a trust file is what its path says."""
    if kind == "Trust":
        return declaration.place.path
    return "" if kind == "Fleet" else str(declaration.document.metadata.name)


def _is_ours(value: Any) -> bool:
    version = value.get("apiVersion") if isinstance(value, dict) else None
    return isinstance(version, str) and version.partition("/")[0] == kinds.GROUP


def _misplaced(document: strict.Strict, path: str, where: layout.Layout) -> str:
    """What is wrong with the place of a document, in words; "" = nothing."""
    here = where.environment
    match document:
        case kinds.Fleet() if path != FLEET_FILE:
            return f"a Fleet belongs into {FLEET_FILE} at the top"
        case kinds.Cluster() if not path.startswith(f"clusters/{here}/"):
            return f"a Cluster of this branch belongs into clusters/{here}/"
        case kinds.Permit() if not path.startswith(f"environments/{here}/"):
            return f"a Permit of this branch belongs into environments/{here}/"
        case kinds.Waiver() if not path.startswith(f"environments/{here}/"):
            return f"a Waiver of this branch belongs into environments/{here}/"
        case kinds.Trust() if path != f"trust/{here}/{document.spec.version}.yaml":
            return f"this Trust belongs into trust/{here}/{document.spec.version}.yaml"
        case kinds.Bundle() if where.part(path) is not layout.Part.CONTENT:
            return "a Bundle belongs into a shared folder that is not policies/ or schemas/"
        case _:
            return ""


def _malformed(document: strict.Strict, place: findings.Place) -> Iterator[findings.Finding]:
    if isinstance(document, kinds.Fleet):
        for where, message in asking.faults(document):
            said = findings.escaped(message)
            yield replace(findings.deny("fleet", place, said), field=where)
    if not isinstance(document, kinds.Cluster):
        return
    for name, text, size in (
        ("publicKey", document.spec.public_key, _KEY_BYTES),
        ("proof", document.spec.proof, _PROOF_BYTES),
    ):
        if not _is_base64(text, size):
            yield findings.Finding(
                rule="fleet",
                severity=findings.Severity.DENY,
                message=f"{name} is not {size} bytes in base64",
                place=place,
                hint="take the document as `fleet agent enroll` printed it",
                field=("spec", name),
            )


def _is_base64(text: str, size: int) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == size
    except (binascii.Error, ValueError):
        return False


def _fault(error: ErrorDetails, model: type[BaseModel], place: findings.Place) -> findings.Finding:
    where = tuple(str(step) for step in error["loc"])
    dotted = ".".join(where)
    hint = ""
    if error["type"] == "extra_forbidden":
        message = f"{dotted} is no field of {model.__name__}"
        hint = _meant(where[-1], _fields(model, where[:-1]))
    else:
        said = error["msg"].removeprefix("Value error, ")
        message = f"{dotted}: {said[0].lower()}{said[1:]}" if dotted else said
    return findings.Finding(
        rule="fleet",
        severity=findings.Severity.DENY,
        message=findings.escaped(message),
        place=place,
        hint=findings.escaped(hint),
        field=where,
    )


def _fields(model: Any, where: tuple[str, ...]) -> list[str]:
    """The fields that a document of the model may have at this place."""
    for step in where:
        known = {each.alias or name: each.annotation for name, each in model.model_fields.items()}
        inner = known.get(step)
        if step.isdigit():
            continue
        model = _model_in(inner)
        if model is None:
            return []
    return [each.alias or name for name, each in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model behind X, list[X] and X | None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(each) for each in getattr(annotation, "__args__", ()))
    return next((each for each in inner if each is not None), None)


def _meant(word: str, words: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(words), n=1)
    return f"did you mean {close[0]}?" if close else ""
