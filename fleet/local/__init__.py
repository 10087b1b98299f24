"""A person's clone, a CI job, a git host's hook: what can be told and made there without being a hub."""
