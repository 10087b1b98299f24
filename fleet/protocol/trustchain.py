"""The chain of an environment's trust files: whom agents believe, from version 1 to the newest.

Version N + 1 counts only if as many owners of version N signed it as N asks; version 1 is signed by its own, and
believed for its digest, which an agent is given at enrolment. Versions only grow (threat 64).
"""

import functools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleet.model import approving, errors, json_values, names
from fleet.protocol import approvals, openpgp, sshsig, sshwire

if TYPE_CHECKING:  # an agent reads a trust file only where there is one
    from fleet.model import trusting

MAX_TEXT = 64 << 10  # bytes of one trust file
MAX_CHAIN = 200 << 10  # bytes of all of them: each dispatch carries them


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """How far an agent has come, durably: the newest trust file that it believed."""

    version: int
    digest: names.Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A trust file that follows from the one before it."""

    anchor: Anchor
    spec: "trusting.TrustSpec" = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with version `version` of a chain, in words."""

    version: int
    message: str
    is_signature: bool = False


@functools.lru_cache(maxsize=32)  # asked at each turn, and by whoever hands in an approval
def examine(
    files: tuple[approving.TrustFile, ...], environment: str
) -> tuple[tuple[Link, ...], Fault | None]:
    """The links up to the first that does not follow, and what is wrong with that one."""
    links: list[Link] = []
    if sum(len(each.text) + len(each.signatures) for each in files) > MAX_CHAIN:
        return (), Fault(version=1, message=f"all versions are more than {MAX_CHAIN} bytes")
    for version, file in enumerate(files, start=1):
        try:
            spec = _read(file.text)
        except errors.InputError as error:
            return tuple(links), Fault(version=version, message=str(error))
        wrong = next(_wrong(spec, environment, version), "")
        if wrong:
            return tuple(links), Fault(version=version, message=wrong)
        unsigned = _unsigned(file, links[-1].spec if links else spec, spec)
        if unsigned:
            return tuple(links), Fault(version=version, message=unsigned, is_signature=True)
        anchor = Anchor(version=version, digest=digest(file.text))
        links.append(Link(anchor=anchor, spec=spec))
    return tuple(links), None


def follow(
    files: tuple[approving.TrustFile, ...],
    environment: str,
    *,
    pinned: str = "",
    held: Anchor | None = None,
) -> Link | None:
    """The newest trust file; None where there is none and none was ever known. Raises errors.RefusedError."""
    if not files:
        if held is not None or pinned:
            raise errors.RefusedError("trust: the dispatch carries no trust file")
        return None
    links, fault = examine(files, environment)
    if fault is not None:
        raise errors.RefusedError(f"trust: version {fault.version}: {fault.message}")
    if pinned and links[0].anchor.digest != pinned:
        raise errors.RefusedError(
            "trust: version 1 is not the one that this agent was enrolled with"
        )
    if held is not None and (len(links) < held.version or links[held.version - 1].anchor != held):
        raise errors.RefusedError(
            f"trust: it does not follow from version {held.version}, which is held"
        )
    return links[-1]


def digest(text: str) -> names.Digest:
    return json_values.digest_of_bytes(text.encode("utf-8", "surrogatepass"))


def _read(text: str) -> "trusting.TrustSpec":
    from pydantic import ValidationError

    from fleet.manifests import parse
    from fleet.model import kinds

    if len(text) > MAX_TEXT:
        raise errors.InputError(f"it is more than {MAX_TEXT} bytes")
    data = text.encode("utf-8", "surrogatepass")
    parsed = parse.documents(data, "trust.yaml", names.BlobId(""))
    if parsed.findings or len(parsed.documents) != 1:
        said = parsed.findings[0].message if parsed.findings else "it is not one document"
        raise errors.InputError(said)
    try:
        found = kinds.Trust.model_validate(parsed.documents[0].value, by_alias=True, by_name=False)
    except ValidationError as error:
        first = error.errors()[0]
        raise errors.InputError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return found.spec


def _wrong(spec: "trusting.TrustSpec", environment: str, version: int) -> Iterator[str]:
    if spec.environment != environment:
        yield f"it is for environment {spec.environment}"
    if spec.version != version:
        yield f"it says that it is version {spec.version}"
    yield from _wrong_keys(spec)
    yield from _wrong_pgp(spec)
    yield from _wrong_groups(spec)


def _wrong_keys(spec: "trusting.TrustSpec") -> Iterator[str]:
    found: Counter[str] = Counter()
    for person, lines in spec.people.items():
        try:
            found.update(sshwire.key(line).text for line in lines)
        except errors.InputError as error:
            yield f"a key of {person}: {error}"
    yield from (
        f"key {sshwire.fingerprint(key)} is listed twice"
        for key, count in found.items()
        if count > 1
    )


def _wrong_pgp(spec: "trusting.TrustSpec") -> Iterator[str]:
    found: Counter[str] = Counter()
    for person, certificates in spec.pgp.items():
        if person not in spec.people:
            yield f"pgp names {person}, who is none of its people"
        try:
            found.update(openpgp.fingerprint(each) for each in certificates)
        except errors.InputError as error:
            yield f"an OpenPGP key of {person}: {error}"
    yield from (f"OpenPGP key {key} is listed twice" for key, n in found.items() if n > 1)


def _wrong_groups(spec: "trusting.TrustSpec") -> Iterator[str]:
    for group, people in spec.groups.items():
        odd = sorted(set(people) - spec.people.keys())
        if odd:
            yield f"group {group} names {odd[0]}, who is none of its people"
        if len(set(people)) < len(people):
            yield f"group {group} names somebody twice"
    asked = [(spec.owners.group, spec.owners.threshold)]
    asked += [(each.group, each.count) for each in spec.approvals]
    for group, count in asked:
        if len(spec.groups.get(group, ())) < count:
            yield f"group {group} has fewer than {count} people"


def _unsigned(
    file: approving.TrustFile, before: "trusting.TrustSpec", spec: "trusting.TrustSpec"
) -> str:
    """Why it does not count, in words; "" = enough owners of the version before signed it."""
    owners: Mapping[str, str] = approvals.members(before, before.owners.group)
    known = {**approvals.members(spec, spec.owners.group), **owners}
    data = file.text.encode("utf-8", "surrogatepass")
    try:
        signed = [
            sshsig.verify(each, data, sshsig.TRUST) for each in sshsig.split(file.signatures)
        ]
    except (errors.InputError, errors.RefusedError) as error:
        return str(error)
    strangers = [each.text for each in signed if each.text not in known]
    if strangers:
        return f"{sshwire.fingerprint(strangers[0])}, which signed it, is no owner's key"
    found = len({owners[each.text] for each in signed if each.text in owners})
    if found < before.owners.threshold:
        return f"{found} of {before.owners.threshold} owners of version {before.version} signed it"
    return ""
