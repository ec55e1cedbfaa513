"""I420 pictures as numpy arrays, and which pixel a sample of each plane stands for.

A picture has a luma plane of `(height, width)` and two chroma planes, U and V, of half that size
each way. Pixel coordinates follow OpenCV: (0, 0) is the *centre* of the top left pixel. A chroma
sample covers two by two pixels and sits in their middle (the siting of JPEG and MPEG-1), so
chroma sample (i, j) stands at pixel (2i + 0.5, 2j + 0.5).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

MOST_PIXELS = 4096 * 2304
"""Larger pictures are not decoded and not looked at."""

BLACK = (16, 128, 128)
"""Black in Y, U, V (ITU-R BT.601, limited range)."""


class Planes(NamedTuple):
    """The three planes of one picture, each `(rows, columns)` uint8, possibly views."""

    y: Plane
    u: Plane
    v: Plane

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])


def is_size(width: int, height: int) -> bool:
    """Whether an I420 picture can have this size, and one so large is looked at."""
    return width % 2 == height % 2 == 0 and 0 < width * height <= MOST_PIXELS


def i420_shape(width: int, height: int) -> tuple[int, int]:
    """The shape of one contiguous I420 array as OpenCV takes it: `(height * 3 / 2, width)`."""
    return height * 3 // 2, width


def planes_of_i420(i420: Plane) -> Planes:
    """View a contiguous I420 array of `i420_shape` as its three planes."""
    rows, width = i420.shape
    height = rows * 2 // 3
    chroma = i420[height:].reshape(2, height // 2, width // 2)
    return Planes(i420[:height], chroma[0], chroma[1])
