"""What came over the network, as the picture that a detector gets; raises ValueError otherwise."""

from collections.abc import Iterator
from contextlib import suppress

import cv2
import numpy as np

from ..protocol import stamp
from ..protocol.frames import Image, ImageCodec
from ..protocol.planes import Plane, Planes, i420_shape, is_size, planes_of_i420
from .picture import Picture

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_STAND_ALONE = frozenset({0x01, *range(0xD0, 0xDA)})
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def picture_of(seen: Planes | Image) -> Picture:
    """A picture in memory of its own; raises ValueError where it cannot be one."""
    if not is_size(seen.width, seen.height):
        raise ValueError("a picture came in whose size is odd or too large")
    if isinstance(seen, Image):
        return Picture(decode(seen), seen.frame)
    i420 = np.empty(i420_shape(seen.width, seen.height), np.uint8)
    for target, plane in zip(planes_of_i420(i420), seen, strict=True):
        target[:] = plane
    return Picture(i420, stamp.read(seen.y))


def decode(image: Image) -> Plane:
    """The I420 picture in an image's payload; raises ValueError where there is none."""
    shape = i420_shape(image.width, image.height)
    i420: cv2.typing.MatLike | None = None
    if image.codec is ImageCodec.RAW:
        if len(image.payload) == shape[0] * shape[1]:
            i420 = np.frombuffer(image.payload, np.uint8).reshape(shape).copy()
    # Before it is unfolded: a few bytes may say that they are gigabytes.
    elif _size(image.codec, image.payload) == shape:
        data = np.frombuffer(image.payload, np.uint8)
        with suppress(cv2.error):
            i420 = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    if i420 is None or i420.shape != shape:
        raise ValueError("a picture came in that cannot be decoded")
    return np.asarray(i420, np.uint8)


def _size(codec: ImageCodec, data: bytes) -> tuple[int, int] | None:
    """Height and width that a PNG or JPEG says of itself."""
    if codec is ImageCodec.PNG:  # RFC 2083, sections 3.1 and 11.2.1
        if not data.startswith(_PNG):
            return None
        width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
        return height, width
    for marker, segment in _segments(data):  # ITU-T T.81, annex B
        if marker in _START_OF_FRAME:
            return int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
    return None


def _segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """The marker segments of a JPEG, up to its first scan."""
    at = 0 if jpeg.startswith(_JPEG) else len(jpeg)
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _STAND_ALONE:
            at += 2
        else:
            length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
            yield marker, jpeg[at + 4 : at + 2 + length]
            at += 2 + max(length, 2)
