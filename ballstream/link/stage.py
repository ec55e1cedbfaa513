"""What a server shows, drawn and compressed once for all of its clients."""

import logging
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self

from ..config import FrameCodec, Redundancy, ServerConfig
from ..errors import UsageError
from ..protocol.frames import ImageCodec
from ..scene.motion import bounce
from ..scene.render import Scene
from .answerer import Streams
from .broadcast import Broadcast, can_hear_keyframe_requests, can_repeat
from .codec import Encoding, video_compressor
from .imagecodec import image_compressor
from .images import MAX_BUFFERED
from .published import Published
from .source import BallSource

logger = logging.getLogger(__name__)


class Stage:
    """The scene of a configuration, and its streams; use as `async with`.

    `origin` is the instant of the monotonic clock at which the scene's time is 0. Raises UsageError
    where the scene cannot be built or its frames not be sent.
    """

    def __init__(self, config: ServerConfig) -> None:
        _check_size(config)
        self.motion = bounce(*config.size, config.radius, config.speed, config.seed)
        self.origin = time.monotonic()
        scene = Scene(self.motion, config.radius, config.stamp)
        pixels = config.size[0] * config.size[1]

        def source(scene: Scene) -> BallSource:
            return BallSource(scene, config.size, config.fps, self.origin)

        encoding = Encoding(config.codec, config.size, config.fps, config.bitrate)
        self._video = Broadcast(source(scene), partial(video_compressor, encoding), pixels)
        codec = ImageCodec[config.frame_codec.name]
        # Here the number travels beside the picture.
        plain = source(replace(scene, stamped=False))
        self._images = Broadcast(plain, partial(image_compressor, codec, config.quality), pixels)
        self.streams = Streams(
            source(scene),
            None if _is_stock(config) else self._video,
            config.codec,
            self._images,
            codec.name,
            _redundancy(config),
            Published() if config.publish else None,
        )
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self._video)
        await self._open.enter_async_context(self._images)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._open.aclose()


def _check_size(config: ServerConfig) -> None:
    bytes_raw = config.size[0] * config.size[1] * 3 // 2
    if config.frame_codec is FrameCodec.RAW and bytes_raw > MAX_BUFFERED:
        raise UsageError(
            f"raw frames may have {MAX_BUFFERED // 1000} kB: choose a smaller --size, such as "
            "320x240, or another --frame-codec"
        )


def _is_stock(config: ServerConfig) -> bool:
    """Whether each viewer gets an encoder of aiortc's."""
    if config.stock:
        return True
    if not can_hear_keyframe_requests():
        logger.warning("this aiortc lacks what one encoder for all needs; using its own")
        return True
    return False


def _redundancy(config: ServerConfig) -> Redundancy:
    """Whether viewers get packets more than once, as far as this aiortc lets us."""
    if config.redundancy is not Redundancy.OFF and not config.stock and not can_repeat():
        logger.warning("this aiortc lacks what redundancy needs; no packet is repeated")
        return Redundancy.OFF
    return config.redundancy
