"""A decoded picture as a detector gets it."""

from collections.abc import Callable
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from ..protocol import stamp
from ..protocol.planes import Plane, planes_of_i420
from .point import Point


class Picture:
    """One picture of the video: its planes as decoded, and BGR for whoever asks.

    `i420` is the whole picture, contiguous, `(height * 3 / 2, width)` uint8; `frame` its number,
    None where that cannot be read. A detector may keep the picture, or any of its arrays: they
    stay as they are.
    """

    def __init__(self, i420: Plane, frame: int | None = None) -> None:
        self.i420 = i420
        self.frame = frame
        self.planes = planes_of_i420(i420)

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.planes.width

    @property
    def height(self) -> int:
        """Height in pixels, the rows of the stamp among them."""
        return self.planes.height

    @property
    def field(self) -> int:
        """Height in pixels of the part that the ball can be in: all but the rows of the stamp."""
        return self.height - stamp.ROWS

    @cached_property
    def bgr(self) -> NDArray[np.uint8]:
        """The picture as OpenCV likes it, `(height, width, 3)` uint8, converted when first used."""
        return np.asarray(cv2.cvtColor(self.i420, cv2.COLOR_YUV2BGR_I420), np.uint8)


Detector = Callable[[Picture], Point | None]
"""A picture in, the ball's centre out, in pixels with (0, 0) at the *centre* of the top left
pixel (OpenCV's convention), or None where there is no ball.

It may raise, which counts as None, and it may keep state: all pictures of a session go through
one process, one after the other."""
