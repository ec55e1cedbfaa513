"""Detectors of which it is known how long they take, because they record it themselves."""

import os
import time

from ..vision.detect import centroid
from ..vision.picture import Detector, Picture
from ..vision.point import Point

VARIABLE = "BALLSTREAM_PROOF"
"""Names the file to which they add a line for each picture: how many ms it took."""

KNOWN_MS = 20.0

_SPIN = 0.001
"""Seconds before the end in which it no longer sleeps, so that it wakes in time."""


def prompt() -> Detector:
    """One that takes as long as it takes."""
    return _Recorded(0.0)


def slow() -> Detector:
    """One that takes 20 ms."""
    return _Recorded(KNOWN_MS / 1e3)


class _Recorded:
    """Looks, waits until it has taken `seconds` in all, and records what that was in the end."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._file = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def __call__(self, picture: Picture) -> Point | None:
        begun = time.monotonic()
        place = centroid(picture)
        end = begun + self._seconds
        time.sleep(max(end - _SPIN - time.monotonic(), 0.0))
        while time.monotonic() < end:
            pass
        taken = time.monotonic() - begun
        os.write(self._file, f"{1e3 * taken:.4f}\n".encode())
        return place
