import asyncio

import pytest
from programs import soon

from ballstream.endings import first_of


async def never() -> None:
    await asyncio.Event().wait()


async def now() -> None:
    pass


async def fail() -> None:
    raise ValueError("no")


async def test_the_name_of_what_ended_first() -> None:
    assert await soon(first_of({"a": never(), "b": now()})) == "b"


async def test_of_several_the_first_named_counts() -> None:
    for _ in range(20):
        assert await soon(first_of({"a": never(), "b": now(), "c": now(), "d": fail()})) == "b"


async def test_what_it_raised_is_raised_and_the_others_are_cancelled() -> None:
    cancelled = asyncio.Event()

    async def wait() -> None:
        try:
            await never()
        finally:
            cancelled.set()

    with pytest.raises(ValueError, match="no"):
        await soon(first_of({"a": wait(), "b": fail()}))
    assert cancelled.is_set()
