"""What /metrics shows of where everything stands; counters are counted where things happen.

docs/operations.md lists them.
"""

from collections import Counter

from fleet.hub import state
from fleet.hub.desk import standing


def show(hub: state.Hub) -> None:
    """Set every gauge to what is so now."""
    found = standing.of(hub)
    hub.telemetry.gauge("fleet_held", {}, float(bool(found["held"])))
    hub.telemetry.gauge("fleet_log_alarms", {}, float(len(found["alarms"])))
    hub.telemetry.gauge("fleet_fetch_failing", {}, float(bool(hub.trouble)))
    for each in found["environments"]:
        labels = {"environment": each["name"]}
        release, candidate = each["release"], each["candidate"]
        hub.telemetry.gauge("fleet_release", labels, release["number"] if release else 0)
        hub.telemetry.gauge("fleet_release_healthy", labels, bool(release and release["healthy"]))
        is_waiting = candidate is not None and candidate["verdict"] != "accepted"
        hub.telemetry.gauge("fleet_candidate_not_accepted", labels, float(is_waiting))
        states = Counter(cluster["state"] for cluster in each["clusters"])
        for word in standing.STATES:
            hub.telemetry.gauge("fleet_clusters", {**labels, "state": word}, states[word])
