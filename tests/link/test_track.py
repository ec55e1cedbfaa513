import asyncio
import time

import pytest
from aiortc import VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame
from programs import soon

from ballstream.link.guard import Guard
from ballstream.link.picture import planes_of_frame
from ballstream.link.source import BallSource, Drawn
from ballstream.link.track import BallTrack
from ballstream.protocol import stamp
from ballstream.scene.motion import bounce
from ballstream.scene.render import Scene

SIZE = (160, 120)
SCENE = Scene(bounce(*SIZE, 10, 280, 1), 10, stamped=True)


def make_track(drawn: list[Drawn]) -> BallTrack:
    return BallTrack(BallSource(SCENE, SIZE, 120, time.monotonic()), drawn.append, Guard())


async def test_it_is_a_video_track_of_the_source_s_frames() -> None:
    drawn: list[Drawn] = []
    track = make_track(drawn)
    track.release()
    assert isinstance(track, VideoStreamTrack)
    assert track.kind == "video"
    for place in range(3):
        frame = await soon(track.recv())
        assert isinstance(frame, VideoFrame)
        assert stamp.read(planes_of_frame(frame).y) == drawn[place].number
    assert len(drawn) == 3


async def test_nothing_is_drawn_before_the_release() -> None:
    drawn: list[Drawn] = []
    track = make_track(drawn)
    waiting = asyncio.create_task(track.recv())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert drawn == []
    track.release()
    await soon(waiting)
    assert len(drawn) == 1


async def test_a_stopped_track_raises_and_tells_of_no_frame() -> None:
    drawn: list[Drawn] = []
    track = make_track(drawn)
    track.release()
    track.stop()
    with pytest.raises(MediaStreamError):
        await soon(track.recv())
    assert drawn == []
