"""How much of the hub a stranger may use, and what is said to one who wants more (threat 70)."""

import json
from dataclasses import dataclass

from fleet.ports import answers

KIB = 1 << 10
MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one server. Times in seconds, sizes in bytes."""

    connections: int = 4096  # open at once; the one idle longest gives way to a new one
    header_seconds: float = 30.0  # until a connection must have sent a whole head, first or next
    header_bytes: int = 16 * KIB
    body_seconds: float = 30.0  # for a whole body
    receiving: int = 64  # bodies on their way in at once
    receiving_per_address: int = 32
    polls: int = 10_000  # held open at once
    fetches: int = 16  # slices in memory at once; more of them wait for their turn
    write_seconds: float = 30.0  # for a reply, and more for each `slowest_reader` bytes of it
    slowest_reader: int = 64 * KIB  # bytes a second
    stop_seconds: float = 1.0  # that running requests are given when the server stops


class Refusal(Exception):  # noqa: N818 - a reply on its way, no fault of ours
    """Why a request does not reach the hub. Never leaves this folder."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status

    def reply(self) -> answers.Reply:
        return worded(self.status, str(self))


def worded(status: int, why: str) -> answers.Reply:
    return answers.Reply(status=status, body=json.dumps({"error": why}).encode())
