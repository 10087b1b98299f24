"""Policies held against their own examples: ours, Kyverno's test files, Gatekeeper's suites."""
