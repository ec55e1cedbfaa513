import socket
import time
from collections.abc import Iterator
from selectors import EVENT_READ

import pytest

from ballstream.impairment.selector import PreciseSelector


@pytest.fixture
def selector() -> Iterator[PreciseSelector]:
    with PreciseSelector() as one:
        yield one


@pytest.mark.parametrize("timeout", [None, 0.0, -1.0, 30.0])
def test_what_is_ready_is_said_at_once(selector: PreciseSelector, timeout: float | None) -> None:
    near, far = socket.socketpair()
    with near, far:
        selector.register(near, EVENT_READ, "near")
        far.send(b"x")
        ((key, events),) = selector.select(timeout)
        assert (key.data, events) == ("near", EVENT_READ)


@pytest.mark.parametrize("timeout", [0.0, -1.0, 0.0003])
def test_nothing_ready_is_nothing_said(selector: PreciseSelector, timeout: float) -> None:
    assert selector.select(timeout) == []


def test_it_never_wakes_too_early_and_sometimes_within_half_a_millisecond(
    selector: PreciseSelector,
) -> None:
    """Epoll's own would round 0.2 ms up to 1 ms, always."""
    waited = []
    for _ in range(200):
        before = time.monotonic()
        selector.select(0.0002)
        waited.append(time.monotonic() - before)
    assert 0.0002 <= min(waited) < 0.0007
