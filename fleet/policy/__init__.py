"""Policy: Kubernetes' own admission policies, judged on manifests before any cluster sees them."""
