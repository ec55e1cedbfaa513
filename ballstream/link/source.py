"""Where frames come from: the scene, drawn at its own pace."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from typing import NamedTuple, Protocol, Self

from av import VideoFrame

from ..scene.render import Scene
from ..trace import mark
from .picture import planes_of_frame

CLOCK_RATE = 90_000
TIME_BASE = Fraction(1, CLOCK_RATE)


class Drawn(NamedTuple):
    """A frame's number, the scene's time that it shows, and the instant before it was drawn.

    Both in seconds; the instant is of the monotonic clock.
    """

    number: int
    seconds: float
    at: float


OnFrame = Callable[[Drawn], None]
"""Told of a frame that somebody gets, or does not get."""


def ignore(drawn: Drawn) -> None:
    """For whoever need not be told."""


class Source(Protocol):
    """Whatever frames can come from, as often as somebody begins to take them."""

    def frames(self) -> AsyncIterator[tuple[Drawn, VideoFrame]]:
        """The frames (yuv420p) from now on, each when it is due, with what it shows."""


class BallSource:
    """Draws the scene, `fps` frames a second.

    Frame `i` is due at `origin + i / fps` of the monotonic clock and shows the scene at `i / fps`
    seconds, as its time stamp says too.
    """

    def __init__(self, scene: Scene, size: tuple[int, int], fps: float, origin: float) -> None:
        self._scene = scene
        self._size = size
        self._fps = fps
        self._origin = origin

    def frames(self) -> "BallFrames":
        """The frames from now on, each drawn when it is due."""
        return BallFrames(self)

    async def frame_after(self, last: int) -> tuple[Drawn, VideoFrame]:
        """Wait for the frame to show after number `last`, and draw it."""
        number = next_frame(last, (time.monotonic() - self._origin) * self._fps)
        await asyncio.sleep(self._origin + number / self._fps - time.monotonic())
        drawn = Drawn(number, number / self._fps, time.monotonic())
        return drawn, self._draw(drawn)

    def _draw(self, drawn: Drawn) -> VideoFrame:
        frame = VideoFrame(*self._size, "yuv420p")
        self._scene.draw(planes_of_frame(frame), drawn.number, drawn.seconds)
        frame.pts = round(drawn.seconds * CLOCK_RATE)
        frame.time_base = TIME_BASE
        mark("begun", drawn.number, drawn.at)
        mark("drawn", drawn.number)
        return frame


class BallFrames:
    """One pass over a source. When it is asked late, frame numbers are left out; nothing bursts.

    Unlike a generator it goes on after a wait that was cancelled, and needs no closing.
    """

    def __init__(self, source: BallSource) -> None:
        self._source = source
        self._last = -1

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[Drawn, VideoFrame]:
        drawn, frame = await self._source.frame_after(self._last)
        self._last = drawn.number
        return drawn, frame


def next_frame(last: int, now: float) -> int:
    """The frame to show after `last` when the clock stands at `now`, counted in frame times.

    The one after `last`, unless a later one is already due; then the newest of these.
    """
    return max(last + 1, math.floor(now))
