"""The scene as a video track."""

import asyncio
import math
import time
from collections.abc import Callable
from fractions import Fraction

from aiortc import VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from ..scene.render import Scene
from ..trace import mark
from .picture import planes_of_frame

CLOCK_RATE = 90_000
TIME_BASE = Fraction(1, CLOCK_RATE)


OnFrame = Callable[[int, float, float], None]
"""Told of a frame: its number, the scene's time that it shows, the instant before it was drawn."""


class BallTrack(VideoStreamTrack):
    """Draws the scene, one `av.VideoFrame` (yuv420p) a frame time.

    Frame `i` is due at `origin + i / fps` of the monotonic clock and shows the scene at `i / fps`
    seconds. When `recv` is called late, frame numbers are skipped and nothing bursts: the next
    frame is the newest one that is due. Nothing is drawn before `release` is called, so that the
    first frames do not go to a peer that is not listening yet.
    """

    def __init__(
        self,
        scene: Scene,
        size: tuple[int, int],
        fps: float,
        origin: float,
        on_frame: OnFrame,
    ) -> None:
        super().__init__()
        self._scene = scene
        self._size = size
        self._fps = fps
        self._origin = origin
        self._on_frame = on_frame
        self._last = -1
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let the frames begin."""
        self._released.set()

    async def recv(self) -> VideoFrame:
        """The next frame, when it is due; raises MediaStreamError once the track is stopped."""
        await self._released.wait()
        number = next_frame(self._last, (time.monotonic() - self._origin) * self._fps)
        await asyncio.sleep(self._origin + number / self._fps - time.monotonic())
        if self.readyState != "live":
            raise MediaStreamError
        self._last = number
        seconds = number / self._fps
        drawn_at = time.monotonic()
        frame = VideoFrame(*self._size, "yuv420p")
        self._scene.draw(planes_of_frame(frame), number, seconds)
        frame.pts = round(seconds * CLOCK_RATE)
        frame.time_base = TIME_BASE
        mark("begun", number, drawn_at)
        mark("drawn", number)
        self._on_frame(number, seconds, drawn_at)
        return frame


def next_frame(last: int, now: float) -> int:
    """The frame to show after `last` when the clock stands at `now`, counted in frame times.

    The one after `last`, unless a later one is already due; then the newest of these.
    """
    return max(last + 1, math.floor(now))
