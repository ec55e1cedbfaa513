import asyncio

import pytest
from programs import soon

from ballstream.link.pictures import Pictures


def as_it_came(picture: int) -> int:
    return picture


async def test_the_newest_is_taken_and_the_others_are_counted() -> None:
    pictures = Pictures(as_it_came)
    for picture in range(50):
        pictures.put(picture)
    assert await soon(anext(pictures)) == 49
    assert (pictures.received, pictures.skipped) == (50, 49)


async def test_whoever_waits_gets_the_next() -> None:
    pictures = Pictures(as_it_came)
    waiting = asyncio.create_task(anext(pictures))
    await asyncio.sleep(0)
    pictures.put(7)
    assert await soon(waiting) == 7
    assert (pictures.received, pictures.skipped) == (1, 0)


async def test_it_ends_after_the_picture_that_waits() -> None:
    pictures = Pictures(as_it_came)
    pictures.put(1)
    pictures.end()
    assert [picture async for picture in pictures] == [1]
    assert [picture async for picture in pictures] == []


async def test_the_first_end_counts() -> None:
    pictures = Pictures(as_it_came)
    waiting = asyncio.create_task(anext(pictures))
    await asyncio.sleep(0)
    pictures.fail(KeyError("lost"))
    pictures.end()
    with pytest.raises(KeyError, match="lost"):
        await soon(waiting)


async def test_a_picture_is_converted_when_it_is_taken() -> None:
    converted: list[int] = []

    def convert(picture: int) -> str:
        converted.append(picture)
        if picture % 2:
            raise ValueError("odd")
        return str(picture)

    pictures = Pictures(convert)
    pictures.put(1)
    pictures.put(3)
    waiting = asyncio.create_task(anext(pictures))
    await asyncio.sleep(0)
    pictures.put(4)
    assert await soon(waiting) == "4"
    assert converted == [3, 4]
    assert (pictures.received, pictures.skipped, pictures.refused) == (3, 1, 1)


async def test_a_wait_that_is_cancelled_loses_no_picture() -> None:
    pictures = Pictures(as_it_came)
    waiting = asyncio.create_task(anext(pictures))
    await asyncio.sleep(0)
    pictures.put(5)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await soon(anext(pictures)) == 5
