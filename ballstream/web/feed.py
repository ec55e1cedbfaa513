"""What the page is told while it is open: a line of JSON a few times a second.

The first line describes the scene, so that the page can draw the truth over a frame whose number
it knows; each further one has a row for each client.
"""

import asyncio
import statistics
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Mapping

import msgspec

from ..scoring.score import Result, Verdict
from ..session import Session

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


class Row(msgspec.Struct, frozen=True):
    """A client as the page shows it.

    The first figures are those of the session's last 120 answers, as in the terminal; the `now_`
    ones are medians of the `answers` since the line before, or None where nothing came.
    """

    client: int
    transport: str
    frames_sent: int
    frames_answered: int
    passive: bool
    detection_error_px: float | None
    tracking_error_px: float | None
    latency_ms: float | None
    latency_p95_ms: float | None
    now_detection_error_px: float | None
    now_tracking_error_px: float | None
    now_latency_ms: float | None
    answers: list[Answer]


class Feed:
    """Lines for whoever reads along; nothing is worked out while nobody does."""

    def __init__(
        self, scene: Mapping[str, object], sessions: Callable[[], Collection[Session]]
    ) -> None:
        self.readers = 0
        self._scene = _line({"type": "scene", **scene})
        self._sessions = sessions
        self._verdicts: dict[int, deque[Verdict]] = {}
        self._latest = b""
        self._told = asyncio.Condition()
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    def observe(self, number: int, verdict: Verdict) -> None:
        """Take an estimate of a client."""
        if self.readers and verdict.result is Result.ANSWERED:
            queue = self._verdicts.setdefault(number, deque(maxlen=_MOST_VERDICTS))
            queue.append(verdict)

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """The scene, then the newest line each time there is one; those missed are left out."""
        self.readers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._tell())
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
            await asyncio.gather(self._task, return_exceptions=True)
        async with self._told:
            self._told.notify_all()

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(PERIOD)
            if not self.readers:
                continue
            verdicts, self._verdicts = self._verdicts, {}
            rows = [row(each, verdicts.get(each.number, ())) for each in self._sessions()]
            self._latest = _line({"type": "rows", "rows": rows})
            async with self._told:
                self._told.notify_all()


def row(session: Session, verdicts: Collection[Verdict]) -> Row:
    """A client's figures, those of `verdicts` as the newest."""
    scorer = session.scorer

    def newest(figure: str) -> float | None:
        values = [getattr(verdict, figure) for verdict in verdicts]
        known = [value for value in values if value is not None]
        return _rounded(statistics.median(known)) if known else None

    return Row(
        client=session.number,
        transport=session.transport,
        frames_sent=scorer.frames_sent,
        frames_answered=scorer.frames_answered,
        passive=session.passive,
        detection_error_px=_rounded(scorer.detection.recent(50)),
        tracking_error_px=_rounded(scorer.tracking.recent(50)),
        latency_ms=_rounded(scorer.latency.recent(50)),
        latency_p95_ms=_rounded(scorer.latency.recent(95)),
        now_detection_error_px=newest("detection_error_px"),
        now_tracking_error_px=newest("tracking_error_px"),
        now_latency_ms=newest("latency_ms"),
        answers=[_answer(verdict) for verdict in verdicts],
    )


def _answer(verdict: Verdict) -> Answer:
    return Answer(
        verdict.frame,
        _rounded(verdict.detection_error_px),
        _rounded(verdict.tracking_error_px),
        _rounded(verdict.latency_ms),
    )


def _line(content: object) -> bytes:
    return msgspec.json.encode(content) + b"\n"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
