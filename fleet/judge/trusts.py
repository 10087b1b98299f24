"""An environment's trust files as a commit has them: read whole, each held against the one before it."""

import re
from collections.abc import Mapping

from fleet.manifests import declared, layout
from fleet.model import approving, findings, names, snapshots

_FILE = re.compile(r"([1-9]\d{0,4})\.(yaml|sig)\Z")


def entries(snapshot: snapshots.Snapshot, where: layout.Layout) -> list[snapshots.Entry]:
    """The files of the environment's trust folder that are small enough to be read."""
    found = list(snapshot.under(folder(where.environment)))
    if not found:
        return []
    from fleet.protocol import trustchain  # its cryptography is for those who have such files

    return [each for each in found if each.size <= trustchain.MAX_TEXT]


def folder(environment: names.Environment) -> str:
    return f"trust/{environment}"


def read(
    contents: Mapping[str, bytes], environment: names.Environment
) -> tuple[tuple[approving.TrustFile, ...], tuple[findings.Finding, ...]]:
    """The chain, () where it does not hold, and what is wrong with it."""
    files, found = _paired(contents, environment)
    if found or not files:
        return (), found
    from fleet.protocol import trustchain

    links, fault = trustchain.examine(files, environment)
    if fault is None:
        return files[: len(links)], ()
    ending = "sig" if fault.is_signature else "yaml"
    hint = f"fleet trust sign {folder(environment)}/{fault.version}.yaml --key KEY"
    place = findings.Place(path=f"{folder(environment)}/{fault.version}.{ending}", line=1)
    helped = hint if fault.is_signature else f"see: fleet trust show {environment}"
    return (), (findings.deny("trust", place, findings.escaped(fault.message), hint=helped),)


def unfollowed(
    running: declared.Declared, coming: declared.Declared, environment: names.Environment
) -> list[findings.Finding]:
    """What runs stays as it is: versions are only added."""
    for version, before in enumerate(running.trust, start=1):
        after = coming.trust[version - 1] if version <= len(coming.trust) else None
        if after is None or after.text != before.text:
            path = f"{folder(environment)}/{version}.yaml"
            what = "is gone" if after is None else "was changed"
            message = f"trust file {version}, which is in force, {what}: versions are only added"
            hint = f"put it back, and add {folder(environment)}/{len(running.trust) + 1}.yaml"
            return [findings.deny("trust", findings.Place(path=path), message, hint=hint)]
    return []


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _paired(
    contents: Mapping[str, bytes], environment: names.Environment
) -> tuple[tuple[approving.TrustFile, ...], tuple[findings.Finding, ...]]:
    top = folder(environment) + "/"
    words: dict[tuple[int, str], str] = {}
    found: list[findings.Finding] = []
    for path, data in sorted(contents.items()):
        named, text = _FILE.match(path.removeprefix(top)), _text(data)
        if named is None or text is None:
            hint = f"there are N.yaml and N.sig in {top}, and nothing else"
            place = findings.Place(path=path)
            found.append(findings.deny("trust", place, "it is no trust file", hint=hint))
        else:
            words[int(named[1]), named[2]] = text
    latest = max((version for version, _ in words), default=0)
    wanted = [(n, end) for n in range(1, min(latest, 1000) + 1) for end in ("yaml", "sig")]
    for version, ending in wanted:
        if (version, ending) not in words:
            place = findings.Place(path=f"{top}{version}.{ending}")
            hint = f"fleet trust sign {top}{version}.yaml --key KEY" if ending == "sig" else ""
            found.append(findings.deny("trust", place, "it is not there", hint=hint))
            break
    if found:
        return (), tuple(found)
    pairs = [(words[n, "yaml"], words[n, "sig"]) for n in range(1, latest + 1)]
    return tuple(approving.TrustFile(text=t, signatures=s) for t, s in pairs), ()
