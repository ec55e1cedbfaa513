"""The window of `--display`: the picture, with the estimate drawn over it."""

import cv2

from ..errors import DetectorError
from .picture import Picture

_TITLE = "ballstream"
_GREEN = (0, 255, 0)
_QUIT_KEYS = (27, ord("q"))


class Window:
    """A window on the screen; closing it, `q` or Escape makes `is_open` False.

    Raises DetectorError where this OpenCV has no windows.
    """

    def __init__(self) -> None:
        try:
            cv2.namedWindow(_TITLE, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
        except cv2.error as error:
            if "not implemented" not in str(error):
                raise
            raise DetectorError(
                "this OpenCV has no windows, as opencv-python-headless has none: install "
                "opencv-python in its place, or leave --display out"
            ) from None
        cv2.waitKey(1)
        self.is_open = True

    def show(self, picture: Picture, frame: int | None, x: float | None, y: float | None) -> None:
        """Show a picture; a cross marks the estimate."""
        canvas = picture.bgr.copy()
        label = f"frame {'?' if frame is None else frame}"
        if x is not None and y is not None:
            place = round(x), round(y)
            cv2.drawMarker(canvas, place, _GREEN, cv2.MARKER_CROSS, 24, 1, cv2.LINE_AA)
            label += f"  ({x:.2f}, {y:.2f})"
        cv2.putText(canvas, label, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _GREEN, 1, cv2.LINE_AA)
        cv2.imshow(_TITLE, canvas)
        key = cv2.waitKey(1) & 0xFF
        self.is_open = _is_visible() and key not in _QUIT_KEYS


def _is_visible() -> bool:
    try:
        return cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) >= 1
    except cv2.error:  # with its last window, Qt is gone too
        return False
