"""Where the ball is at any time, in closed form."""

import math
import random
from dataclasses import dataclass

from ..errors import UsageError
from ..protocol import stamp

_STEEPEST = math.radians(70)
_SHALLOWEST = math.radians(20)


@dataclass(frozen=True, slots=True)
class Axis:
    """Travel to and fro between `low` and `high` at a constant speed, from `start` at time 0."""

    low: float
    high: float
    start: float
    velocity: float

    def at(self, seconds: float) -> float:
        """The position at a time: the straight path, folded at the walls."""
        span = self.high - self.low
        if span == 0:
            return self.low
        unfolded = (self.start - self.low + self.velocity * seconds) % (2 * span)
        return self.low + (unfolded if unfolded <= span else 2 * span - unfolded)


@dataclass(frozen=True, slots=True)
class Motion:
    """Straight flight with reflection at the walls; the ball stays whole inside its field."""

    horizontal: Axis
    vertical: Axis

    def centre(self, seconds: float) -> tuple[float, float]:
        """The ball's centre in pixels (OpenCV's convention) at a time in seconds."""
        return self.horizontal.at(seconds), self.vertical.at(seconds)


def bounce(width: int, height: int, radius: float, speed: float, seed: int) -> Motion:
    """A motion in a picture of `width` by `height` pixels, without the rows of the stamp.

    Start and direction come from the seed; `speed` is in px/s along the path, so that the frame
    rate has no part in it. Raises UsageError where the ball does not fit.
    """
    field = height - stamp.ROWS
    if 2 * radius > min(width, field):
        raise UsageError(
            f"a ball of radius {radius:g} does not fit into the {width}x{field} px above the "
            f"stamp: choose a smaller --radius or a larger --size"
        )
    dice = random.Random(seed)
    # Neither flat nor upright, so that every run exercises both axes and all four walls.
    angle = dice.uniform(_SHALLOWEST, _STEEPEST)
    return Motion(
        _axis(dice, width, radius, speed * math.cos(angle)),
        _axis(dice, field, radius, speed * math.sin(angle)),
    )


def _axis(dice: random.Random, extent: int, radius: float, speed: float) -> Axis:
    # The outer edge of pixel 0 lies at -0.5, that of the last pixel at extent - 0.5.
    low, high = radius - 0.5, extent - 0.5 - radius
    return Axis(low, high, dice.uniform(low, high), speed * dice.choice((-1, 1)))
