import pytest

from ballstream.config import ServerConfig
from ballstream.errors import PeerMisbehaves
from ballstream.link.source import Drawn
from ballstream.link.stage import Stage
from ballstream.protocol.messages import Alive, Estimate, encode
from ballstream.report.observers import Observer, Watched
from ballstream.scoring.score import Result, Verdict
from ballstream.session import Session

CONFIG = ServerConfig(size=(160, 120), radius=10)


class Verdicts(Observer):
    """Keeps what it is told of estimates."""

    def __init__(self) -> None:
        self.all: list[tuple[int, float, Verdict]] = []

    def verdict(self, session: Watched, at: float, verdict: Verdict) -> None:
        self.all.append((session.number, at, verdict))


def session(observer: Observer) -> tuple[Session, Stage]:
    stage = Stage(CONFIG)
    return Session(3, "left arm", CONFIG, stage, observer), stage


async def test_what_the_client_says_is_scored_with_the_scene_s_time() -> None:
    verdicts = Verdicts()
    one, stage = session(verdicts)
    one.opened()
    drawn = Drawn(7, 7 / 30, stage.origin + 7 / 30)
    one.sent(drawn)
    one.said(encode(Estimate(7, *stage.motion.centre(7 / 30))), drawn.at + 0.25)
    ((number, at, verdict),) = verdicts.all
    assert (number, verdict.result) == (3, Result.ANSWERED)
    assert at == pytest.approx(7 / 30 + 0.25)
    assert verdict.latency_ms == pytest.approx(250)
    assert verdict.detection_error_px == pytest.approx(0)


async def test_a_sign_of_life_makes_silence_mean_something() -> None:
    one, stage = session(Observer())
    one.said("rubbish", 100.5)
    one.said(encode(Alive(1, 0)), 101.5)  # of no frame that went out
    assert not one._answerer.peer.gives_signs
    one.sent(Drawn(7, 7 / 30, stage.origin + 7 / 30))
    one.said(encode(Alive(1, 0)), 102.5)
    assert one._answerer.peer.gives_signs


async def test_nothing_but_rubbish_ends_it() -> None:
    one, _ = session(Observer())

    def babble() -> None:
        for _ in range(6000):
            one.said("rubbish", 100.5)

    with pytest.raises(PeerMisbehaves, match="nothing but rubbish"):
        babble()
    assert 5000 <= one.snapshot().rejected < 6000
