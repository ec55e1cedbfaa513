"""What the page is told while it is open: a line of JSON a few times a second.

The first line describes the scene, so that the page can draw the truth over a frame whose number
it knows; each further one has a row for each client, and says which network is emulated.
"""

import asyncio
import statistics
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Mapping

import msgspec

from ..beside import hand_over
from ..report.observers import Observer, Watched
from ..report.records import SessionReport
from ..scoring.counts import counts_of
from ..scoring.score import Result, Snapshot, Verdict

PERIOD = 0.25
"""Seconds between two lines."""

MOST_READERS = 64

_MOST_VERDICTS = 256


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """An answer as the page keeps it."""

    frame: int | None
    detection_error_px: float | None
    tracking_error_px: float | None
    latency_ms: float | None
    x: float | None
    y: float | None
    at: float
    """When it arrived, in seconds of the scene's time."""


Arrival = tuple[float, Verdict]
"""An answer, after the instant at which it arrived."""


class Feed(Observer):
    """Lines for whoever reads along; nothing is worked out while nobody does.

    `network` gives the emulated network in words, or None.
    """

    def __init__(
        self, scene: Mapping[str, object], network: Callable[[], str | None] = lambda: None
    ) -> None:
        self.readers = 0
        self._network = network
        self._scene = _line({"type": "scene", **scene})
        self._sessions: dict[int, Watched] = {}
        self._verdicts: dict[int, deque[Arrival]] = {}
        self._latest = b""
        self._told = asyncio.Condition()
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    def came(self, session: Watched) -> None:
        self._sessions[session.number] = session

    def verdict(self, session: Watched, at: float, verdict: Verdict) -> None:
        if self.readers and verdict.result is Result.ANSWERED:
            queue = self._verdicts.setdefault(session.number, deque(maxlen=_MOST_VERDICTS))
            queue.append((at, verdict))

    def ended(self, session: Watched, report: SessionReport) -> None:
        del self._sessions[session.number]

    def left_out(self, error: Exception) -> None:
        self._closed = True  # rather nothing than what was once true

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """The scene, then the newest line each time there is one; those missed are left out."""
        self.readers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(hand_over)
        try:
            yield self._scene
            while not self._closed:
                async with self._told:
                    await self._told.wait()
                yield self._latest
        finally:
            self.readers -= 1

    async def close(self) -> None:
        """Let every reader come to its end."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            await self._tell()
        finally:
            self._closed = True
            async with self._told:
                self._told.notify_all()

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(PERIOD)
            if not self.readers:
                continue
            verdicts, self._verdicts = self._verdicts, {}
            rows = [row(each, verdicts.get(each.number, ())) for each in self._sessions.values()]
            self._latest = _line({"type": "rows", "rows": rows, "impairment": self._network()})
            async with self._told:
                self._told.notify_all()


def row(session: Watched, arrivals: Collection[Arrival]) -> dict[str, object]:
    """A client as the page shows it.

    `channel` is False where it could have opened one for its answers, and did not. All its counts;
    figures of the last 120 answers, as in the terminal, `_p95` behind the name of
    the 95th percentile; and medians of `arrivals`, what came since the line before, with `now_`
    before the name, and `answers`, these one by one. Figures are None where nothing came.
    """
    now = session.snapshot()
    verdicts = [verdict for _, verdict in arrivals]
    return {
        "client": session.number,
        "name": session.name,
        "transport": session.transport,
        "passive": session.passive,
        "channel": not session.lacks_channel,
        **{name: getattr(now, name) for name in counts_of(Snapshot)},
        "answered_percent": _rounded(now.answered_percent),
        **{name: _rounded(recent.p50) for name, recent in now.recent.items()},
        **{f"{name}_p95": _rounded(recent.p95) for name, recent in now.recent.items()},
        **{f"now_{name}": _median(name, verdicts) for name in now.recent},
        "answers": [_answer(verdict, at) for at, verdict in arrivals],
    }


def _median(figure: str, verdicts: Collection[Verdict]) -> float | None:
    values = [getattr(verdict, figure) for verdict in verdicts]
    known = [value for value in values if value is not None]
    return _rounded(statistics.median(known)) if known else None


def _answer(verdict: Verdict, at: float) -> Answer:
    return Answer(
        verdict.frame,
        _rounded(verdict.detection_error_px),
        _rounded(verdict.tracking_error_px),
        _rounded(verdict.latency_ms),
        _rounded(verdict.x),
        _rounded(verdict.y),
        round(at, 4),
    )


def _line(content: object) -> bytes:
    return msgspec.json.encode(content) + b"\n"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
