"""Jobs and CronJobs. Source: batch validation."""

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.manifests.admission import cron, faults, labels, pods, rules, texts, workloads
from fleet.manifests.admission.tables import Found, Row, below, row

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_INDEXED_ONLY = ("backoffLimitPerIndex", "maxFailedIndexes")
_NUMBERS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)


def _restart(spec: Mapping[str, Any]) -> Found:
    policy = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy") or "Always"
    where = ("template", "spec", "restartPolicy")
    if policy == "Always":
        return (faults.required('valid values: "OnFailure", "Never"', *where),)
    if policy not in ("OnFailure", "Never"):
        return (faults.unsupported(policy, ("OnFailure", "Never"), *where),)
    if spec.get("podFailurePolicy") is not None and policy != "Never":
        said = 'only "Never" is supported when podFailurePolicy is specified'
        return (faults.invalid(policy, said, *where),)
    return ()


def _indexes(spec: Mapping[str, Any]) -> Found:
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        needed = [faults.required("when maxFailedIndexes is specified", "backoffLimitPerIndex")]
    else:
        needed = []
    if spec.get("completionMode") == "Indexed":
        return [*needed, *_indexed(spec)]
    said = "requires indexed completion mode"
    found = [
        faults.invalid(spec[each], said, each)
        for each in _INDEXED_ONLY
        if spec.get(each) is not None
    ]
    if spec.get("successPolicy") is not None:
        found.append(faults.invalid(spec["successPolicy"], said, "successPolicy"))
    return [*needed, *found]


def _indexed(spec: Mapping[str, Any]) -> Iterable[faults.Fault]:
    completions, parallelism = spec.get("completions"), spec.get("parallelism")
    failed = spec.get("maxFailedIndexes")
    if completions is None and parallelism is not None:  # without both it is one of each
        yield faults.required("when completion mode is Indexed", "completions")
    if parallelism is not None and parallelism > 100_000:
        said = "must be less than or equal to 100000 when completion mode is Indexed"
        yield faults.invalid(parallelism, said, "parallelism")
    if failed is not None and completions is not None and failed > completions:
        yield faults.invalid(
            failed, "must be less than or equal to completions", "maxFailedIndexes"
        )


def _pod_hostname(job: Mapping[str, Any]) -> Found:
    spec, name = job.get("spec") or {}, job["metadata"].get("name") or ""
    completions, parallelism = spec.get("completions"), spec.get("parallelism")
    if completions is None and parallelism is None:
        completions = 1
    if spec.get("completionMode") != "Indexed" or (completions or 0) <= 0:
        return ()
    host = f"{name}-{(completions or 0) - 1}"
    said = f"will not able to create pod with invalid DNS label: {host}"
    return (faults.invalid(name, said, "metadata", "name"),) if texts.label(host) else ()


def _selector(spec: Mapping[str, Any]) -> Found:
    if not spec.get("manualSelector"):
        return _generated(spec)
    selector = spec.get("selector")
    if selector is None:
        return (faults.required("", "selector"),)
    return workloads.mismatch(spec, selector)


def _generated(spec: Mapping[str, Any]) -> Found:
    if spec.get("selector") is None:
        return ()
    hint = "leave it out, or set manualSelector: true"
    return (
        faults.invalid(spec["selector"], "`selector` not auto-generated", "selector", hint=hint),
    )


def _rule(written: Mapping[str, Any]) -> Found:
    codes, conditions = written.get("onExitCodes"), written.get("onPodConditions")
    found = []
    if codes is not None and conditions:
        said = "specifying both OnExitCodes and OnPodConditions is not supported"
        found.append(faults.invalid(faults.OMITTED, said))
    if codes is None and not conditions:
        said = "specifying one of OnExitCodes and OnPodConditions is required"
        found.append(faults.invalid(faults.OMITTED, said))
    return found


def _exit_codes(written: Mapping[str, Any]) -> Found:
    values = written.get("values") or []
    found = [] if values else [faults.invalid(values, "at least one value is required", "values")]
    if len(values) > 255:
        found.append(faults.too_many(len(values), 255, "values"))
    seen: set[int] = set()
    for place, each in enumerate(values):
        if written.get("operator") == "In" and each == 0:
            found.append(faults.invalid(0, "must not be 0 for the In operator", "values", place))
        if each in seen:
            found.append(faults.duplicate(each, "values", place))
        seen.add(each)
    if values != sorted(values):
        found.append(faults.invalid(values, "must be ordered", "values"))
    return found


def _named(spec: Mapping[str, Any]) -> Found:
    """The failure policy speaks of containers that there are."""
    policy = spec.get("podFailurePolicy") or {}
    pod = (spec.get("template") or {}).get("spec") or {}
    known = {
        each.get("name")
        for part in ("containers", "initContainers")
        for each in pod.get(part) or ()
    }
    found = []
    for place, each in enumerate(policy.get("rules") or ()):
        name = (each.get("onExitCodes") or {}).get("containerName")
        if name is not None and name not in known:
            said = "must be one of the container or initContainer names in the pod template"
            where = ("podFailurePolicy", "rules", place, "onExitCodes", "containerName")
            found.append(faults.invalid(name, said, *where))
    return found


def _managed_by(written: str) -> Found:
    long = [faults.too_long(63)] if texts.bytes_of(written) > 63 else []
    return [*domain_path(written), *long]


def domain_path(written: str) -> Found:
    host, _, path = written.partition("/")
    if not written:
        return (faults.required(""),)
    if not host or not path:
        said = 'must be a domain-prefixed path (such as "acme.io/foo")'
        return (faults.invalid(written, said),)
    found = faults.each_invalid(host, texts.subdomain(host))
    if not texts.is_http_path(path):
        found.append(faults.invalid(path, texts.http_path_words()))
    return found


_FAILURE: tuple[Row, ...] = (
    row("rules[]", _rule, "batch: validatePodFailurePolicyRule"),
    row("rules[].action", rules.among(*_ACTIONS), "batch: validatePodFailurePolicyRule"),
    row("rules[].onExitCodes", _exit_codes, "batch: validatePodFailurePolicyRuleOnExitCodes"),
    row(
        "rules[].onExitCodes.operator",
        rules.among("In", "NotIn"),
        "batch: validatePodFailurePolicyRuleOnExitCodes",
    ),
)
_SPEC: tuple[Row, ...] = (
    *(row(each, rules.not_negative, "batch: validateJobSpec") for each in _NUMBERS),
    row("", _restart, "batch: validateJobSpec"),
    row("", _indexes, "batch: validateJobSpec"),
    row("", _named, "batch: validatePodFailurePolicyRuleOnExitCodes"),
    row("completionMode", rules.among("NonIndexed", "Indexed"), "batch: validateJobSpec"),
    row("managedBy", _managed_by, "batch: validateJobSpec"),
    row(
        "podReplacementPolicy",
        rules.among("Failed", "TerminatingOrFailed"),
        "batch: validatePodReplacementPolicy",
    ),
    *below("podFailurePolicy", _FAILURE),
    *below("template", pods.TEMPLATE),
    *below("template.spec", (pods.MOUNTED,)),
)
JOB: tuple[Row, ...] = (
    row("", _pod_hostname, "batch: ValidateJob"),
    row("spec", _selector, "batch: validateGeneratedSelector, ValidateJobSpec"),
    *below("spec.selector", labels.SELECTOR),
    *below("spec", _SPEC),
)


def _name(job: Mapping[str, Any]) -> Found:
    """Its Jobs add eleven characters, and a Job's Pods carry the Job's name in a label."""
    name = job["metadata"].get("name") or ""
    if texts.bytes_of(name) <= 52:
        return ()
    return (faults.invalid(name, texts.longer_than(52), "metadata", "name"),)


def _schedule(spec: Mapping[str, Any]) -> Found:
    return faults.below(cron.schedule(spec.get("schedule") or ""), "schedule")


def _template_selector(spec: Mapping[str, Any]) -> Found:
    found = []
    if spec.get("selector") is not None:
        found.append(
            faults.invalid(spec["selector"], "`selector` will be auto-generated", "selector")
        )
    if spec.get("manualSelector"):
        found.append(faults.unsupported(True, ("nil", "false"), "manualSelector"))
    return found


CRON_JOB: tuple[Row, ...] = (
    row("", _name, "batch: ValidateCronJobCreate"),
    row("spec", _schedule, "batch: validateScheduleFormat"),
    row("spec.schedule", cron.timed, "batch: validateScheduleFormat", since="1.29"),
    row("spec.timeZone", cron.zone, "batch: validateTimeZone"),
    row(
        "spec.concurrencyPolicy",
        rules.among_or_empty("Allow", "Forbid", "Replace"),
        "batch: validateConcurrencyPolicy",
    ),
    row("spec.startingDeadlineSeconds", rules.not_negative, "batch: validateCronJobSpec"),
    row("spec.successfulJobsHistoryLimit", rules.not_negative, "batch: validateCronJobSpec"),
    row("spec.failedJobsHistoryLimit", rules.not_negative, "batch: validateCronJobSpec"),
    row("spec.jobTemplate.spec", _template_selector, "batch: ValidateJobTemplateSpec"),
    *below("spec.jobTemplate.spec", _SPEC),
)
