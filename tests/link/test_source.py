import asyncio
import time

import numpy as np
import pytest
from programs import soon

from ballstream.link.picture import planes_of_frame
from ballstream.link.source import CLOCK_RATE, BallFrames, BallSource, next_frame
from ballstream.protocol import stamp
from ballstream.scene.motion import bounce
from ballstream.scene.render import Scene, draw_ball

SIZE = (160, 120)
SCENE = Scene(bounce(*SIZE, 10, 280, 1), 10, stamped=True)


def frames(fps: float, origin: float | None = None) -> BallFrames:
    return BallSource(SCENE, SIZE, fps, time.monotonic() if origin is None else origin).frames()


@pytest.mark.parametrize(
    ("last", "now", "expected"),
    [
        (-1, 0.0, 0),
        (-1, 0.4, 0),
        (-1, 7.9, 7),
        (4, 4.1, 5),
        (4, 5.9, 5),
        (4, 6.0, 6),
        (4, 9.7, 9),
        (9, 3.0, 10),
    ],
)
def test_the_next_frame_is_the_newest_that_is_due(last: int, now: float, expected: int) -> None:
    assert next_frame(last, now) == expected


@pytest.mark.parametrize("fps", [30, 59.94, 120])
async def test_frames_are_stamped_timed_and_paced(fps: float) -> None:
    origin = time.monotonic()
    source = frames(fps, origin)
    numbers = set()
    for _ in range(6):
        (number, seconds, at), frame = await soon(anext(source))
        assert frame.format.name == "yuv420p"
        assert (frame.width, frame.height) == SIZE
        assert stamp.read(planes_of_frame(frame).y) == number
        assert seconds == number / fps
        assert frame.pts == round(number / fps * CLOCK_RATE)
        assert at >= origin + number / fps, "no frame comes before its time"
        numbers.add(number)
    assert len(numbers) == 6


async def test_the_frame_shows_the_scene_at_its_time() -> None:
    drawn, frame = await soon(anext(frames(120)))
    planes = planes_of_frame(frame)
    expected = type(planes)(*(np.empty_like(plane) for plane in planes))
    draw_ball(expected, SCENE.motion.centre(drawn.seconds), SCENE.radius)
    for plane, other in zip(planes, expected, strict=True):
        field = len(plane) - stamp.ROWS * len(plane) // SIZE[1]
        np.testing.assert_array_equal(plane[:field], other[:field])


async def test_a_late_call_skips_frames_and_does_not_burst() -> None:
    source = BallSource(SCENE, SIZE, 120, time.monotonic())
    shown = source.frames()
    first, _ = await soon(anext(shown))
    source._origin -= 1  # as if nobody had called for a second
    second, _ = await soon(anext(shown))
    third, _ = await soon(anext(shown))
    assert second.number - first.number >= 120
    assert third.number - second.number <= 2


async def test_each_pass_has_frames_of_its_own() -> None:
    source = BallSource(SCENE, SIZE, 120, time.monotonic())
    one, other = source.frames(), source.frames()
    (first, frame), (same, other_frame) = await soon(asyncio.gather(anext(one), anext(other)))
    assert first.number == same.number
    assert frame is not other_frame


async def test_a_wait_that_was_cancelled_ends_nothing() -> None:
    source = frames(120, time.monotonic() + 3600)
    waiting = asyncio.create_task(anext(source))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    source._source._origin -= 3600
    drawn, _ = await soon(anext(source))
    assert drawn.number >= 0
