"""From judged manifests to a plan: a slice for each cluster, waves, and a check that shares nothing with the planner."""
