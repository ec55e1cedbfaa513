"""The place that a detector finds."""

import math
from collections.abc import Mapping, Set
from numbers import Real

Point = tuple[float, float]
"""The ball's centre in pixels, with (0, 0) at the centre of the top left pixel."""

_NO_PAIRS = (str, bytes, bytearray, Mapping, Set)
"""What can be taken apart like a pair, and never is one."""


def as_point(found: object) -> Point:
    """What a detector returned, as a place; raises TypeError or ValueError where it is none.

    Two real numbers are one, those of numpy and of tensors among them; truth values are not.
    """
    try:
        if isinstance(found, _NO_PAIRS):
            raise TypeError
        x, y = (_number(value) for value in found)  # type: ignore[attr-defined]
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"returned {found!r:.80}, not (x, y) or None") from None
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError(f"returned ({x}, {y}), which is not a place")
    return x, y


def _number(value: object) -> float:
    # An array or tensor of one element says which number it holds.
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, bool) or not isinstance(number, Real):
        raise TypeError
    return float(number)


def is_inside(point: Point, width: int, height: int) -> bool:
    """Whether a place is in a picture of this size."""
    return all(
        -0.5 <= at <= extent - 0.5 for at, extent in zip(point, (width, height), strict=True)
    )


def is_near(point: Point, width: int, height: int) -> bool:
    """Whether a place is off the picture by no more than its size, so that a server scores it."""
    return all(
        -extent <= at <= 2 * extent for at, extent in zip(point, (width, height), strict=True)
    )
