"""The planes of PyAV's frames as numpy arrays."""

import numpy as np
from av import VideoFrame

from ..protocol.planes import Plane, Planes


def planes_of_frame(frame: VideoFrame) -> Planes:
    """View the planes of a yuv420p frame, without their padding; writing to them draws."""
    return Planes(*(_plane(frame, index) for index in range(3)))


def _plane(frame: VideoFrame, index: int) -> Plane:
    plane = frame.planes[index]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    view: Plane = rows[: plane.height, : plane.width]
    return view
