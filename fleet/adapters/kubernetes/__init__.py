"""The agent's API server, over plain HTTP: light enough for an agent of some tens of megabytes."""
