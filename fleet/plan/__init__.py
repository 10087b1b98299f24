"""From judged manifests to a plan: slices, waves, and a check that shares nothing with the planner."""
