"""HTTP both ways: the hub's server, the agent's link to it, and the Unix socket for people on the hub's machine."""
