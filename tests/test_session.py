import asyncio
import time

import pytest
from programs import soon

from ballstream.config import DIRECT
from ballstream.link.answerer import Streams
from ballstream.link.broadcast import Broadcast
from ballstream.link.images import Messages
from ballstream.link.source import BallSource, Drawn
from ballstream.protocol.messages import Alive, Estimate, encode
from ballstream.scene.motion import bounce
from ballstream.scene.render import Scene
from ballstream.scoring.score import Result, Verdict
from ballstream.session import Service, Session

SIZE = (160, 120)
SCENE = Scene(bounce(*SIZE, 10, 280, 1), 10, stamped=True)


def session(verdicts: list[tuple[int, float, Verdict]]) -> Session:
    origin = time.monotonic()
    source = BallSource(SCENE, SIZE, 30, origin)

    def no_compress() -> object:
        raise AssertionError("nobody watches")

    images: Broadcast[Messages] = Broadcast(source, no_compress, 0)  # type: ignore[arg-type]
    streams = Streams(source, None, "VP8", images, "PNG")

    def on_verdict(number: int, at: float, verdict: Verdict) -> None:
        verdicts.append((number, at, verdict))

    return Session(3, Service(streams, DIRECT, SCENE.motion.centre, SIZE, 100.0, on_verdict))


async def test_what_the_client_says_is_scored_with_the_scene_s_time() -> None:
    verdicts: list[tuple[int, float, Verdict]] = []
    one = session(verdicts)
    one.opened()
    one.sent(Drawn(7, 7 / 30, 100.25))
    x, y = SCENE.motion.centre(7 / 30)
    one.said(encode(Estimate(7, x, y)), 100.5)
    ((number, at, verdict),) = verdicts
    assert (number, at, verdict.result) == (3, 0.5, Result.ANSWERED)
    assert verdict.latency_ms == 250
    assert verdict.detection_error_px == pytest.approx(0)


async def test_a_sign_of_life_makes_silence_mean_something() -> None:
    one = session([])
    one.said("rubbish", 100.5)
    assert not one._answerer.peer.gives_signs
    one.said(encode(Alive(10, 2)), 101.5)
    assert one._answerer.peer.gives_signs


async def test_nothing_but_rubbish_ends_it() -> None:
    one = session([])
    waiting = asyncio.create_task(one._exhausted.wait())
    for _ in range(6000):
        one.said("rubbish", 100.5)
    await soon(waiting)
    assert one.scorer.counts[Result.REJECTED] == 6000
