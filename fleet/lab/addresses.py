"""Ports for a lab's servers, held until the lab ends.

A server that shares the held port (SO_REUSEPORT) can be stopped and started again, and nobody can take its port before
it listens.
"""

import socket


def hold() -> socket.socket:
    """Bound to a free port of the loopback, never listening: all connections go to the server that shares it."""
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(("127.0.0.1", 0))
    return held


def port(held: socket.socket) -> int:
    return int(held.getsockname()[1])
