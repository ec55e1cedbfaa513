import io
import json
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ballstream.bench import relay
from ballstream.bench.relay import Direction


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(relay, "time", made)
    return made


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    """Those of a sender, of the relay towards it and away from it, of a receiver, of a stranger."""
    with ExitStack() as stack:
        made = []
        for _ in range(5):
            each = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            each.bind(("127.0.0.1", 0))
            each.settimeout(10)
            made.append(each)
        yield made


def test_a_datagram_is_held_and_the_time_is_what_it_really_was(
    clock: Clock, sockets: list[socket.socket]
) -> None:
    sender, source, sink, receiver, _ = sockets
    way = Direction(source, sink, hold=0.03)
    way.sender, way.receiver = sender.getsockname(), receiver.getsockname()
    for text, late in ((b"one", 0.0), (b"two", 2.0), (b"three", 0.002)):
        sender.sendto(text, source.getsockname())
        way.take()
        assert way.due == pytest.approx(clock.now + 0.03)
        clock.now += 0.0299
        way.release()
        assert way.due is not None
        clock.now += 0.0001 + late
        way.release()
        assert way.due is None
        assert receiver.recv(100) == text
    # The first second is left out.
    assert way.held_ms == [2030.0, 32.0]


def test_only_the_one_whom_it_stands_for_is_relayed(
    clock: Clock, sockets: list[socket.socket]
) -> None:
    sender, source, sink, receiver, stranger = sockets
    way = Direction(source, sink, hold=0.0)
    way.sender, way.receiver = sender.getsockname(), receiver.getsockname()
    stranger.sendto(b"strange", source.getsockname())
    way.take()
    assert way.due is None


def test_it_says_its_ports_and_at_the_end_what_it_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = socket.socketpair()
    with reading, writing:
        writing.sendall(b"server 127.0.0.1 9\nclient 127.0.0.1 10\n")
        writing.shutdown(socket.SHUT_WR)
        monkeypatch.setattr(sys, "stdin", reading.makefile())
        monkeypatch.setattr(sys, "argv", ["relay", "30"])
        relay.main()
        sys.stdin.close()
    ports, held = map(json.loads, io.StringIO(capsys.readouterr().out))
    assert set(ports) == {"server", "client"}
    assert held == {"down": [], "up": []}
