"""The scene as a video track, for aiortc to encode."""

import asyncio

from aiortc import VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from .guard import Guard
from .source import OnFrame, Source


class BallTrack(VideoStreamTrack):
    """The frames of a source, one `av.VideoFrame` (yuv420p) a frame time.

    Nothing is drawn before `release` is called, so that the first frames do not go to a peer that
    is not listening yet. `on_frame` is told of every frame. What fails here fails under `guard`.
    """

    def __init__(self, source: Source, on_frame: OnFrame, guard: Guard) -> None:
        super().__init__()
        self._guard = guard
        self._frames = source.frames()
        self._on_frame = on_frame
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let the frames begin."""
        self._released.set()

    async def recv(self) -> VideoFrame:
        """The next frame, when it is due; raises MediaStreamError once the track is stopped."""
        with self._guard("drawing a frame"):
            await self._released.wait()
            drawn, frame = await anext(self._frames)
            if self.readyState != "live":
                raise MediaStreamError
            self._on_frame(drawn)
            return frame
        raise MediaStreamError
