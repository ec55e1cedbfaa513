"""The place that a detector finds."""

import math

Point = tuple[float, float]
"""The ball's centre in pixels, with (0, 0) at the centre of the top left pixel."""


def as_point(found: object) -> Point:
    """What a detector returned, as a place; raises TypeError or ValueError where it is none."""
    try:
        x, y = (float(value) for value in found)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise TypeError(f"returned {found!r:.80}, not (x, y) or None") from None
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError(f"returned ({x}, {y}), which is not a place")
    return x, y
