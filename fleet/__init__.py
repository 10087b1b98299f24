"""Policy-gated multi-cluster Kubernetes fleet management."""
