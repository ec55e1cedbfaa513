import asyncio
from collections.abc import Callable

import pytest
from aiortc.mediastreams import MediaStreamError
from programs import soon
from pyee.asyncio import AsyncIOEventEmitter

from ballstream.errors import InternalFailure
from ballstream.link.guard import Guard


def fail(*_: object) -> None:
    raise ValueError("no\nway")


async def test_what_fails_is_kept_and_not_raised() -> None:
    guard = Guard()
    with guard("counting"):
        fail()
    with pytest.raises(InternalFailure) as failure:
        await soon(guard.failure())
    assert str(failure.value) == "ballstream itself failed while counting (ValueError: no way)"
    assert failure.value.exit_status == 1
    assert isinstance(failure.value.__cause__, ValueError)


async def test_the_first_failure_counts() -> None:
    guard = Guard()
    guard("first")(fail)()
    guard("second")(fail)()
    with pytest.raises(InternalFailure, match="first"):
        await soon(guard.failure())


async def test_whoever_waits_hears_of_it() -> None:
    guard = Guard()
    waiting = asyncio.create_task(guard.failure())
    await asyncio.sleep(0)
    assert not waiting.done()
    guard.fail("counting", KeyError("x"))
    with pytest.raises(InternalFailure, match="KeyError: 'x'"):
        await soon(waiting)


def test_a_track_may_say_that_it_has_ended() -> None:
    with pytest.raises(MediaStreamError), Guard()("receiving"):
        raise MediaStreamError


async def test_an_event_s_callback_is_guarded_each_time() -> None:
    guard, emitter = Guard(), AsyncIOEventEmitter()
    heard: list[int] = []

    def hear(number: int) -> None:
        if number == 2:
            fail()
        heard.append(number)

    guard.on(emitter, "message", hear, "hearing")
    for number in (1, 2, 3):
        emitter.emit("message", number)
    assert heard == [1, 3]
    with pytest.raises(InternalFailure, match="hearing"):
        await soon(guard.failure())


@pytest.mark.parametrize("function", [fail, len])
def test_what_is_no_failure_passes(function: Callable[..., object]) -> None:
    guard = Guard()
    assert guard("measuring")(function)([1, 2]) == (2 if function is len else None)
