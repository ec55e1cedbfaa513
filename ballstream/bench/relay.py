"""A program between two ends that holds every datagram, and records for how long it did.

It knows nothing of ballstream's clocks or figures, and shares nothing with its emulated networks:
what it records is a witness of its own.
"""

import json
import select
import socket
import sys
import time
from collections import deque
from typing import NamedTuple

Address = tuple[str, int]

_MOST_BYTES = 1 << 16
_WARM_UP = 1.0
"""Seconds from the first datagram on of which nothing is recorded, as of a session's statistics."""


class _Held(NamedTuple):
    datagram: bytes
    came_at: float


class Direction:
    """From a socket at which the one end sends to the socket from which the other hears it."""

    def __init__(self, source: socket.socket, sink: socket.socket, hold: float) -> None:
        self.source = source
        self.sender: Address | None = None
        self.receiver: Address | None = None
        self.held_ms: list[float] = []
        self._sink = sink
        self._hold = hold
        self._held: deque[_Held] = deque()
        self._began: float | None = None

    @property
    def due(self) -> float | None:
        """When the next datagram is to go on; None where none is held."""
        return self._held[0].came_at + self._hold if self._held else None

    def take(self) -> None:
        """Take the datagram that waits at the source, unless it is of somebody else."""
        datagram, sender = self.source.recvfrom(_MOST_BYTES)
        if sender == self.sender:
            self._held.append(_Held(datagram, time.monotonic()))

    def release(self) -> None:
        """Let what is due go on."""
        while (due := self.due) is not None and due <= time.monotonic():
            datagram, came_at = self._held.popleft()
            if self.receiver is None:
                continue
            self._sink.sendto(datagram, self.receiver)
            now = time.monotonic()
            self._began = now if self._began is None else self._began
            if now - self._began >= _WARM_UP:
                self.held_ms.append(round(1e3 * (now - came_at), 4))


def main() -> None:
    """Entry point: the argument is for how many ms to hold what comes.

    Prints the ports for server and client, a line of JSON; then reads the addresses of both, once
    they are known, a line each: `server HOST PORT`. At the end of standard input it prints what it
    recorded, `{"down": [MS, ...], "up": [MS, ...]}`.
    """
    hold = float(sys.argv[1]) / 1e3
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to_server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to_client,
    ):
        for each in (to_server, to_client):
            each.bind(("", 0))
        down = Direction(to_server, to_client, hold)
        up = Direction(to_client, to_server, hold)
        _say({"server": to_server.getsockname()[1], "client": to_client.getsockname()[1]})
        _relay(down, up)
        _say({"down": down.held_ms, "up": up.held_ms})


def _relay(down: Direction, up: Direction) -> None:
    """Relay until standard input ends."""
    both = (down, up)
    while True:
        dues = [each.due for each in both if each.due is not None]
        wait = max(min(dues) - time.monotonic(), 0.0) if dues else None
        readable, _, _ = select.select([sys.stdin, *(each.source for each in both)], [], [], wait)
        for each in both:
            if each.source in readable:
                each.take()
        for each in both:
            each.release()
        if sys.stdin in readable:
            line = sys.stdin.readline()
            if not line:
                return
            _introduce(line, down, up)


def _introduce(line: str, down: Direction, up: Direction) -> None:
    who, host, port = line.split()
    address = (host, int(port))
    if who == "server":
        down.sender = up.receiver = address
    else:
        up.sender = down.receiver = address


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
