# The shipped policies, as somebody who uses conftest would write them.
package main

import rego.v1

pod := input.spec if input.kind == "Pod"

pod := input.spec.template.spec if input.kind in {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"}

pod := input.spec.jobTemplate.spec.template.spec if input.kind == "CronJob"

containers := array.concat(object.get(pod, "containers", []), object.get(pod, "initContainers", []))

registries := {"docker.io/library/", "registry.example.com/", "ghcr.io/", "quay.io/", "registry.k8s.io/"}

deny contains sprintf("%s lacks the label app.kubernetes.io/name", [input.metadata.name]) if {
	pod
	not input.metadata.labels["app.kubernetes.io/name"]
}

deny contains "the default namespace is not for workloads" if {
	pod
	object.get(input.metadata, "namespace", "default") == "default"
}

deny contains sprintf("%s is not for pods", [field]) if {
	some field in {"hostNetwork", "hostPID", "hostIPC"}
	pod[field] == true
}

deny contains sprintf("container %s: no fixed tag", [c.name]) if {
	some c in containers
	not regex.match(`@[a-z0-9]+:[0-9a-f]{32,}$`, c.image)
	not regex.match(`^(.*/)?[^/:@]+:[^/:@]+$`, c.image)
}

deny contains sprintf("container %s: latest", [c.name]) if {
	some c in containers
	endswith(c.image, ":latest")
}

deny contains sprintf("container %s is from no allowed registry", [c.name]) if {
	some c in containers
	count([r | some r in registries; startswith(c.image, r)]) == 0
}

deny contains sprintf("container %s is privileged", [c.name]) if {
	some c in containers
	c.securityContext.privileged == true
}

deny contains sprintf("container %s lacks requests or limits", [c.name]) if {
	some c in containers
	not c.resources.requests.cpu
}

deny contains sprintf("container %s lacks requests or limits", [c.name]) if {
	some c in containers
	not c.resources.requests.memory
}

deny contains sprintf("container %s lacks requests or limits", [c.name]) if {
	some c in containers
	not c.resources.limits.memory
}

deny contains sprintf("container %s may run as root", [c.name]) if {
	some c in containers
	not pod.securityContext.runAsNonRoot
	not c.securityContext.runAsNonRoot
}
