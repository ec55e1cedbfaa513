"""The hand-over between pictures that come when they come and somebody who looks at them."""

import asyncio
from collections.abc import Callable
from typing import Generic, Self, TypeVar

Came = TypeVar("Came")
Taken = TypeVar("Taken")


class Pictures(Generic[Came, Taken]):
    """A slot of one: `async for picture in pictures` gives the newest each time.

    `received` counts the pictures that came, `skipped` those that a newer one took the place of
    before anybody had asked, and `refused` those that `convert`, which is called when a picture is
    taken, raised ValueError for.
    """

    def __init__(self, convert: Callable[[Came], Taken]) -> None:
        self.received = self.skipped = self.refused = 0
        self._convert = convert
        self._slot: Came | None = None
        self._end: Exception | None = None
        self._changed = asyncio.Event()

    def put(self, picture: Came) -> None:
        """Let a picture take the place of the one before; never waits."""
        self.received += 1
        self.skipped += self._slot is not None
        self._slot = picture
        self._changed.set()

    def end(self) -> None:
        """Let the iteration end, after the picture that waits."""
        self.fail(StopAsyncIteration())

    def fail(self, error: Exception) -> None:
        """Let the iteration raise an error, after the picture that waits."""
        if self._end is None:
            self._end = error
            self._changed.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Taken:
        while True:
            picture = await self._newest()
            try:
                return self._convert(picture)
            except ValueError:
                self.refused += 1

    async def _newest(self) -> Came:
        while self._slot is None:
            if self._end is not None:
                raise self._end
            self._changed.clear()
            await self._changed.wait()
        picture, self._slot = self._slot, None
        return picture
