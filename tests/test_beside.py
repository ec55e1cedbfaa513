"""What fails where nobody waits for it."""

import asyncio
import logging
from typing import Any

import pytest
from programs import soon

from ballstream.beside import Failures, hand_over
from ballstream.rate import RateLimit


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]


async def fail() -> None:
    raise ValueError("no")


async def test_what_fails_beside_a_run_is_said_and_does_not_end_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Failures() as failures:
        async with failures.beside("drawing", fail()):
            assert not failures.any
            await asyncio.sleep(0)
    assert failures.any
    assert errors(caplog) == ["ballstream itself failed while drawing (ValueError: no)"]


async def test_what_is_not_done_at_the_end_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    with Failures() as failures:
        async with failures.beside("waiting", asyncio.sleep(1000)):
            await asyncio.sleep(0)
    assert not failures.any
    assert errors(caplog) == []


async def test_what_has_not_begun_at_the_end_never_does() -> None:
    with Failures() as failures:
        async with failures.beside("failing", fail()):
            pass
    assert not failures.any


async def test_what_the_loop_hears_of_ours_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    with Failures() as failures:
        limit: Any = RateLimit(1, 1)
        limit.allows(1.0)
        asyncio.get_running_loop().call_soon(limit.allows, "later")
        await asyncio.sleep(0)
    assert failures.any
    (said,) = errors(caplog)
    assert said.startswith("ballstream itself failed while working on the side (TypeError: ")


async def test_what_the_loop_hears_of_others_is_left_as_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def others() -> None:
        raise ValueError("no")

    with Failures() as failures:
        asyncio.get_running_loop().call_soon(others)
        await asyncio.sleep(0)
    assert not failures.any
    assert len(errors(caplog)) == 1
    assert asyncio.get_running_loop().get_exception_handler() is None


async def test_a_task_hands_over_what_it_failed_with() -> None:
    heard: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context["exception"]))
    for work in (fail(), asyncio.sleep(0), asyncio.sleep(1000)):
        task = asyncio.create_task(work)
        task.add_done_callback(hand_over)
        await asyncio.sleep(0)
        task.cancel()
        await soon(asyncio.wait([task]))
    assert [repr(each) for each in heard] == ["ValueError('no')"]


async def test_a_task_that_is_handed_over_is_ours(caplog: pytest.LogCaptureFixture) -> None:
    with Failures() as failures:
        task = asyncio.create_task(fail())
        task.add_done_callback(hand_over)
        await soon(asyncio.wait([task]))
        await asyncio.sleep(0)
    assert failures.any
    assert errors(caplog) == ["ballstream itself failed while working on the side (ValueError: no)"]
