"""Which of several endings comes first."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any


async def first_of(endings: Mapping[str, Awaitable[Any]]) -> str:
    """Wait until one of several things ends, cancel the others, and return its name.

    Of those that end at the same time the first named counts. Whatever it raised is raised here.
    """
    names = {asyncio.ensure_future(ending): name for name, ending in endings.items()}
    try:
        await asyncio.wait(names, return_when=asyncio.FIRST_COMPLETED)
        first = next(ending for ending in names if ending.done())
        first.result()
        return names[first]
    finally:
        for ending in names:
            ending.cancel()
        await asyncio.gather(*names, return_exceptions=True)
