"""How findings of relations are said."""

from fleet.model import findings, objects


def warning(
    rule: str,
    manifest: objects.Manifest,
    message: str,
    *,
    hint: str,
    field: tuple[str, ...] = (),
    severity: findings.Severity = findings.Severity.WARN,
) -> findings.Finding:
    return findings.Finding(
        rule=rule,
        severity=severity,
        message=findings.escaped(message),
        place=manifest.source.place,
        hint=findings.escaped(hint),
        subject=str(manifest.key),
        field=() if manifest.source.rendered else field,
    )
