"""Frames into images; apart from `images.py`, because only the server needs OpenCV for them."""

from collections.abc import Callable

import cv2
import numpy as np
from av import VideoFrame

from ..protocol.frames import Image, ImageCodec, split
from ..protocol.planes import Plane
from .images import Messages
from .picture import planes_of_frame


def image_compressor(
    codec: ImageCodec, quality: int
) -> Callable[[VideoFrame, int, bool], Messages]:
    """Frames into the messages of `protocol.frames`; `quality` is that of JPEG, 1 to 100."""

    def compress(frame: VideoFrame, number: int, keyframe: bool) -> Messages:
        planes = planes_of_frame(frame)
        i420 = np.concatenate([plane.ravel() for plane in planes]).reshape(-1, frame.width)
        payload = _encode(i420, codec, quality)
        return split(Image(number, frame.width, frame.height, codec, payload))

    return compress


def _encode(i420: Plane, codec: ImageCodec, quality: int) -> bytes:
    match codec:
        case ImageCodec.RAW:
            return i420.tobytes()
        case ImageCodec.PNG:
            _, data = cv2.imencode(".png", i420)
        case ImageCodec.JPEG:
            _, data = cv2.imencode(".jpg", i420, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()
