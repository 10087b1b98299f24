"""Real control planes on this machine, without Docker: for the demo, the tests and people who want to try things.

Nothing outside this folder may know of it: agents work against any cluster that a kubeconfig names.
"""
