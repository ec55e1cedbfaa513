import asyncio

import msgspec
import pytest
from programs import soon
from samples import SESSION, Session

from ballstream.errors import BallstreamError
from ballstream.report import view
from ballstream.report.live import LiveView
from ballstream.report.records import Ended
from ballstream.report.terminal import Terminal


class Paper(Terminal):
    """A terminal that keeps what it is told."""

    def __init__(self, period: float = 0.001) -> None:
        super().__init__(view.server_table, view.server_line)
        self.notes: list[str] = []
        self._period = period
        self.shown: list[list[view.Cells]] = []
        self.captions: list[str] = []
        self.drawn = asyncio.Event()

    @property
    def period(self) -> float:
        return self._period

    def note(self, text: str) -> None:
        self.notes.append(text)

    def show(self, rows: object, caption: str = "") -> None:
        self.shown.append(list(rows))  # type: ignore[call-overload]
        self.captions.append(caption)
        self.drawn.set()


async def rows(shown: LiveView, paper: Paper) -> list[str]:
    """Whom the view shows the next time."""
    paper.drawn.clear()
    running = asyncio.create_task(shown.run())
    await soon(paper.drawn.wait())
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    return [name for name, *_ in paper.shown[-1]]


async def test_those_who_are_there_and_scored_have_a_row() -> None:
    paper = Paper()
    shown = LiveView(paper)
    first, named, passive = Session(1), Session(2, name="left arm"), Session(3, passive=True)
    assert await rows(shown, paper) == []
    for session in (first, named, passive):
        shown.came(session)
    assert await rows(shown, paper) == ["client 1", "client 2 (left arm)"]
    shown.ended(first, first.report())
    assert await rows(shown, paper) == ["client 2 (left arm)"]


async def test_the_rows_have_a_caption_as_it_is_at_the_time() -> None:
    paper, captions = Paper(), iter(["down", *["up"] * 100])
    shown = LiveView(paper, lambda: next(captions))
    shown.redraw()
    shown.redraw()
    assert paper.captions == ["down", "up"]


def test_events_are_noted() -> None:
    paper = Paper()
    shown = LiveView(paper)
    shown.refused(BallstreamError("the server is full"))
    session = Session(3)
    shown.came(session)
    shown.unheard(session)
    ended = Ended("client", False, "the client said goodbye")
    shown.ended(session, msgspec.structs.replace(SESSION, ended=ended))
    assert paper.notes == [
        "refused a client: the server is full",
        "client 3 watches, but opened no channel `coordinates`",
        "client 3 is gone: the client said goodbye",
    ]


def test_of_many_clients_no_row_is_older_than_a_second() -> None:
    paper = Paper(period=0.25)
    shown = LiveView(paper)
    sessions = [Session(number) for number in range(1, 41)]
    for session in sessions:
        shown.came(session)
    shown.redraw()
    for session in sessions:
        session.scorer.drawn(0, 0.0, 0.0)
    stale = []
    for _ in range(4):
        shown.redraw()
        stale.append(sum(frames == "0" for _, frames, *_ in paper.shown[-1]))
    assert stale == [30, 20, 10, 0]
    assert [name for name, *_ in paper.shown[-1]] == [f"client {n}" for n in range(1, 41)]


def test_a_media_server_that_is_missing_is_said_once_until_it_is_there() -> None:
    paper = Paper()
    shown = LiveView(paper)
    for pause in (0.5, 1.0):
        shown.unpublished("http://a/whip", BallstreamError("no reply"), pause)
    shown.published("http://a/whip")
    shown.unpublished("http://a/whip", BallstreamError("no reply"), None)
    assert paper.notes == [
        "not publishing to http://a/whip: no reply; trying again",
        "publishing to http://a/whip",
        "not publishing to http://a/whip: no reply; giving up",
    ]
