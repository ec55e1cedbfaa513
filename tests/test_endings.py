import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from programs import soon

from ballstream.endings import By, Ending, Reason, after, first_of, stop_on_signals
from ballstream.errors import PeerLost

GOODBYE = Ending(By.CLIENT, Reason.GOODBYE)
STOPPED = Ending(By.SERVER, Reason.STOPPED)


async def never() -> Ending:
    return await after(asyncio.Event().wait(), GOODBYE)


async def now(ending: Ending = GOODBYE) -> Ending:
    return ending


async def fail(text: str = "no") -> Ending:
    raise ValueError(text)


async def test_how_what_ended_first_did() -> None:
    assert await soon(first_of(never(), now())) == GOODBYE


async def test_of_several_the_first_named_counts() -> None:
    for _ in range(20):
        assert await soon(first_of(never(), now(), now(STOPPED))) == GOODBYE


async def test_a_failure_counts_before_a_goodbye_of_the_same_moment() -> None:
    for _ in range(20):
        with pytest.raises(ValueError, match="no"):
            await soon(first_of(now(), fail()))


async def test_what_it_raised_is_raised_and_the_others_are_cancelled() -> None:
    cancelled = asyncio.Event()

    async def wait() -> Ending:
        try:
            return await never()
        finally:
            cancelled.set()

    with pytest.raises(ValueError, match="no"):
        await soon(first_of(wait(), fail()))
    assert cancelled.is_set()


async def test_a_failure_on_the_way_out_is_not_swallowed() -> None:
    async def wait() -> Ending:
        try:
            return await never()
        finally:
            raise ValueError("while tidying up")

    with pytest.raises(ValueError, match="while tidying up"):
        await soon(first_of(now(), wait()))


async def test_a_second_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(ValueError, match="one"):
        await soon(first_of(fail("one"), fail("two")))
    assert [record.getMessage() for record in caplog.records] == [
        "and another failure: ValueError: two"
    ]


async def test_who_is_cancelled_cancels_the_others() -> None:
    cancelled = asyncio.Event()

    async def wait() -> Ending:
        try:
            return await never()
        finally:
            cancelled.set()

    waiting = asyncio.create_task(first_of(wait()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(waiting)
    assert cancelled.is_set()


def test_what_failed_is_a_failure_and_nothing_else() -> None:
    assert Ending(By.NETWORK, Reason.FAILED, PeerLost("gone")).failed
    assert not any(
        Ending(By.CLIENT, reason).failed for reason in Reason if reason is not Reason.FAILED
    )


@contextmanager
def ignoring(number: signal.Signals) -> Iterator[None]:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.fixture
def signals() -> Iterator[None]:
    """The handlers of the signals are afterwards as they were before."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def at_exit(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What is to be done at the end of the program."""
    calls: list[Callable[[], object]] = []
    monkeypatch.setattr("atexit.register", lambda *call: calls.append(partial(*call)))
    return calls


@pytest.mark.usefixtures("signals")
async def test_a_signal_stops_and_is_named(at_exit: list[object]) -> None:
    with stop_on_signals() as stop:
        assert not stop.requested
        os.kill(os.getpid(), signal.SIGTERM)
        await soon(stop.wait())
    assert stop.signal is signal.SIGTERM


async def test_without_one_all_is_afterwards_as_usual(at_exit: list[object]) -> None:
    with stop_on_signals():
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert at_exit == []


@pytest.mark.usefixtures("signals")
async def test_what_was_ignored_stays_ignored(at_exit: list[object]) -> None:
    with ignoring(signal.SIGHUP):
        with stop_on_signals():
            pass
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    with ignoring(signal.SIGHUP), stop_on_signals() as stop:
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        await soon(stop.wait())
        assert stop.signal is signal.SIGTERM


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("again", [signal.SIGTERM, signal.SIGHUP])
async def test_the_same_signal_at_once_is_the_same_wish(
    monkeypatch: pytest.MonkeyPatch, at_exit: list[Callable[[], object]], again: signal.Signals
) -> None:
    now = time.monotonic()
    raised: list[int] = []
    with stop_on_signals() as stop:
        monkeypatch.setattr(time, "monotonic", lambda: now)
        os.kill(os.getpid(), signal.SIGTERM)
        await soon(stop.wait())
        monkeypatch.setattr(time, "monotonic", lambda: now + 0.9)
        os.kill(os.getpid(), again)
    # A program that ends is still there for a while.
    os.kill(os.getpid(), again)
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    monkeypatch.setattr(time, "monotonic", lambda: now + 1)
    os.kill(os.getpid(), again)
    assert raised == [again]
    assert signal.getsignal(again) is signal.SIG_DFL
    (last,) = at_exit
    last()
    assert signal.getsignal(again) is signal.SIG_IGN
    os.kill(os.getpid(), again)
