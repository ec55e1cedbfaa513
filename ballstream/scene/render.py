"""A picture of the scene: a blue disc on black, drawn straight into I420 planes."""

from dataclasses import dataclass

from ..protocol import stamp
from ..protocol.planes import BLACK, Plane, Planes
from .disc import Coverage, disc
from .motion import Motion

BLUE = (41, 240, 110)
"""Pure blue in Y, U, V (ITU-R BT.601, limited range)."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What every frame shows: the ball where `motion` has it, and the frame's number if `stamped`.

    `radius` in pixels, 4 or more.
    """

    motion: Motion
    radius: float
    stamped: bool

    def draw(self, planes: Planes, number: int, seconds: float) -> None:
        """Draw frame `number`, which shows the scene at a time in seconds, over all of `planes`."""
        draw_ball(planes, self.motion.centre(seconds), self.radius)
        if self.stamped:
            stamp.write(planes.y, number)


def draw_ball(planes: Planes, centre: tuple[float, float], radius: float) -> None:
    """Draw a ball about `centre` (pixels, OpenCV's convention) on black, over all of `planes`.

    The intensity-weighted centroid of each plane, with the siting of `protocol.planes`, is the
    centre within 0.01 px for radii from 4 px up.
    """
    # From pixel centres to pixel edges, where the first pixel's is 0.
    coverage = disc(centre[0] + 0.5, centre[1] + 0.5, radius)
    chroma = coverage.halved()
    _draw(planes.y, coverage, BLACK[0], BLUE[0])
    _draw(planes.u, chroma, BLACK[1], BLUE[1])
    _draw(planes.v, chroma, BLACK[2], BLUE[2])


def _draw(plane: Plane, coverage: Coverage, black: int, blue: int) -> None:
    plane.fill(black)
    levels = coverage.levels(abs(blue - black))
    # Where the ball touches a wall, rounding may put empty rows or columns outside the picture.
    top, left = max(coverage.top, 0), max(coverage.left, 0)
    levels = levels[top - coverage.top :, left - coverage.left :]
    inside = plane[top:, left:][: levels.shape[0], : levels.shape[1]]
    levels = levels[: inside.shape[0], : inside.shape[1]]
    inside[:] = black + levels if blue > black else black - levels
