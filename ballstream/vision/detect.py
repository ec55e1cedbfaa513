"""The detectors that come with ballstream; each is a `Detector` (see `picture.py`)."""

import cv2
import numpy as np

from .picture import Picture
from .point import Point

Mask = cv2.typing.MatLike

_BLUE = 184
"""Half way from neutral U (128) to that of the ball (240)."""
_MARGIN = 4
"""Chroma samples that are weighed around the ball, where its blurred edge lies."""

_HSV_LOW = (100, 120, 60)
_HSV_HIGH = (140, 255, 255)


def centroid(picture: Picture) -> Point | None:
    """The centroid of all blueness in and around the bluest spot, straight from the U plane.

    The weights are not cut off at a threshold: that would move the centroid whenever the ball
    covers edge samples by unequal parts. The box around the spot keeps far noise out.
    """
    u = picture.planes.u[: picture.field // 2]
    box = _largest_spot(cv2.threshold(u, _BLUE, 255, cv2.THRESH_BINARY)[1])
    if box is None:
        return None
    left, top, width, height = box
    left, top = max(left - _MARGIN, 0), max(top - _MARGIN, 0)
    weights = u[top : box[1] + height + _MARGIN, left : box[0] + width + _MARGIN] - 128.0
    columns, rows = weights.sum(axis=0), weights.sum(axis=1)
    mass = columns.sum()
    x = left + columns @ np.arange(len(columns)) / mass
    y = top + rows @ np.arange(len(rows)) / mass
    return float(2 * x + 0.5), float(2 * y + 0.5)


def contour(picture: Picture) -> Point | None:
    """The centroid of the largest blue outline, as most tutorials do it: BGR, HSV, contours."""
    hsv = cv2.cvtColor(picture.bgr[: picture.field], cv2.COLOR_BGR2HSV)
    mask = cv2.inRange(hsv, np.array(_HSV_LOW), np.array(_HSV_HIGH))
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    moments = cv2.moments(max(outlines, key=cv2.contourArea))
    if moments["m00"] == 0:
        return None
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]


def hough(picture: Picture) -> Point | None:
    """The strongest circle of the Hough transform: robust against clutter, coarse and slow."""
    blue, green, red = cv2.split(picture.bgr[: picture.field])
    blueness = cv2.subtract(blue, cv2.max(green, red))
    circles = cv2.HoughCircles(
        cv2.GaussianBlur(blueness, (5, 5), 0),
        cv2.HOUGH_GRADIENT,
        dp=1,
        minDist=picture.width,
        param1=200,
        param2=8,
        minRadius=3,
    )
    if circles is None:
        return None
    x, y = circles.reshape(-1, 3)[0, :2]
    return float(x), float(y)


def _largest_spot(mask: Mask) -> tuple[int, int, int, int] | None:
    """Left, top, width and height of the largest connected region, or None."""
    # Labelling costs ten times as much as finding the bounds, and one ball fills its bounds.
    x, y, columns, rows = cv2.boundingRect(mask)
    if columns == 0:
        return None
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask[y : y + rows, x : x + columns])
    left, top, width, height, _ = stats[1 + stats[1:, cv2.CC_STAT_AREA].argmax()]
    return int(x + left), int(y + top), int(width), int(height)
