import asyncio
import time

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from programs import soon

from ballstream.link.picture import planes_of_frame
from ballstream.link.track import CLOCK_RATE, BallTrack, next_frame
from ballstream.protocol import stamp
from ballstream.scene.motion import bounce
from ballstream.scene.render import Scene, draw_ball

SIZE = (160, 120)
SCENE = Scene(bounce(*SIZE, 10, 280, 1), 10, stamped=True)


def make_track(fps: float, drawn: list[tuple[int, float, float]]) -> BallTrack:
    track = BallTrack(SCENE, SIZE, fps, time.monotonic(), lambda *frame: drawn.append(frame))
    track.release()
    return track


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
    drawn: list[tuple[int, float, float]] = []
    track = make_track(fps, drawn)
    origin = track._origin
    for _ in range(6):
        frame = await soon(track.recv())
        number, seconds, at = drawn[-1]
        assert frame.format.name == "yuv420p"
        assert (frame.width, frame.height) == SIZE
        assert stamp.read(planes_of_frame(frame).y) == number
        assert seconds == number / fps
        assert frame.pts == round(number / fps * CLOCK_RATE)
        assert at >= origin + number / fps, "no frame comes before its time"
    assert len({number for number, _, _ in drawn}) == 6


async def test_the_frame_shows_the_scene_at_its_time() -> None:
    drawn: list[tuple[int, float, float]] = []
    frame = await soon(make_track(120, drawn).recv())
    planes = planes_of_frame(frame)
    expected = type(planes)(*(np.empty_like(plane) for plane in planes))
    draw_ball(expected, SCENE.motion.centre(drawn[0][1]), SCENE.radius)
    for plane, other in zip(planes, expected, strict=True):
        field = len(plane) - stamp.ROWS * len(plane) // SIZE[1]
        np.testing.assert_array_equal(plane[:field], other[:field])


async def test_a_late_call_skips_frames_and_does_not_burst() -> None:
    drawn: list[tuple[int, float, float]] = []
    track = make_track(120, drawn)
    await soon(track.recv())
    track._origin -= 1  # as if nobody had called for a second
    await soon(track.recv())
    await soon(track.recv())
    first, second, third = (number for number, _, _ in drawn)
    assert second - first >= 120
    assert third - second <= 2


async def test_nothing_is_drawn_before_the_release() -> None:
    drawn: list[tuple[int, float, float]] = []
    track = BallTrack(SCENE, SIZE, 120, time.monotonic(), lambda *frame: drawn.append(frame))
    waiting = asyncio.create_task(track.recv())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert drawn == []
    track.release()
    await soon(waiting)
    assert len(drawn) == 1


async def test_a_stopped_track_raises() -> None:
    track = make_track(120, [])
    track.stop()
    with pytest.raises(MediaStreamError):
        await soon(track.recv())
