"""Truth and estimates, with the instants at which they came about, into a session's figures."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec.structs import asdict

from ..protocol.messages import Estimate
from ..protocol.stamp import MODULUS
from .counts import Counts, declared
from .distribution import Distribution, Recent, Statistics

WARM_UP = 1.0
"""Seconds at the start of a session that the statistics leave out."""

REMEMBERED = 10.0
"""Seconds for which a frame waits for its estimate; a later one is rejected."""

GRACE = 0.5
"""Seconds before the end in which an unanswered frame is not yet a lost one."""


class Result(StrEnum):
    """What became of an estimate."""

    ANSWERED = "answered"
    NOT_FOUND = "not_found"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class Verdict(msgspec.Struct, frozen=True):
    """One estimate beside the truth; None where there is nothing to compare.

    `true_x` and `true_y` are the ball's centre in the frame that the estimate names.
    """

    result: Result
    frame: int | None
    x: float | None
    y: float | None
    true_x: float | None = None
    true_y: float | None = None
    detection_error_px: float | None = None
    tracking_error_px: float | None = None
    latency_ms: float | None = None
    detect_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """How to speak of a figure, which has its name wherever it turns up: score, verdict, CSV.

    `places` are those behind the decimal point in a report.
    """

    name: str
    title: str
    unit: str
    places: int
    meaning: str


class Score(Counts, frozen=True, kw_only=True):
    """The counts and figures of one session, which lasted so many seconds."""

    seconds: float
    latency_ms: Annotated[
        Statistics,
        Figure(
            "latency_ms",
            "Latency",
            "ms",
            2,
            "The time from just before a frame is drawn to the arrival of the estimate made from "
            "it.",
        ),
    ]
    detection_error_px: Annotated[
        Statistics,
        Figure(
            "detection_error_px",
            "Detection error",
            "px",
            4,
            "The distance from the estimate to the ball's true centre in the frame that it was "
            "made from: the part of codec and detector.",
        ),
    ]
    tracking_error_px: Annotated[
        Statistics,
        Figure(
            "tracking_error_px",
            "Tracking error",
            "px",
            3,
            "The distance from the estimate to the ball's true centre at the moment when the "
            "estimate arrives: what a controller would feel, mostly speed times latency.",
        ),
    ]


FIGURES = tuple(declared(Score, Figure).values())
"""The figures of a session, each declared once, above."""


class Snapshot(Counts, frozen=True, kw_only=True):
    """A session as it stands: its counts, and each figure over the last 120 answers."""

    recent: dict[str, Recent]


class _Frame:
    __slots__ = ("answered", "drawn_at", "seconds")

    def __init__(self, seconds: float, drawn_at: float) -> None:
        self.seconds = seconds
        self.drawn_at = drawn_at
        self.answered = False


class Scorer:
    """Scores the estimates of one client.

    `centre` gives the ball's true centre at a time of the scene in seconds; `origin` is the
    instant of the clock at which that time is 0. All instants are seconds of one clock.
    """

    def __init__(
        self,
        centre: Callable[[float], tuple[float, float]],
        size: tuple[int, int],
        origin: float,
    ) -> None:
        self._centre = centre
        self._size = size
        self._origin = origin
        self._frames: dict[int, _Frame] = {}
        self._started: float | None = None
        self._sent = self._answered = self._expired = self._unnumbered = 0
        self._results = dict.fromkeys(Result, 0)
        self._figures = {figure.name: Distribution() for figure in FIGURES}

    def drawn(self, number: int, seconds: float, at: float) -> None:
        """Frame `number` shows the scene at `seconds`; `at` is the instant before it was drawn."""
        if self._started is None:
            self._started = at
        if number % MODULUS in self._frames:  # it went out on the other transport already
            return
        self._sent += 1
        self._frames[number % MODULUS] = _Frame(seconds, at)
        self._forget(at - REMEMBERED)

    def _forget(self, before: float) -> None:
        while True:
            oldest = next(iter(self._frames))
            if self._frames[oldest].drawn_at >= before:
                return
            self._expired += not self._frames.pop(oldest).answered

    def reject(self) -> None:
        """Count a message that was no estimate at all."""
        self._results[Result.REJECTED] += 1

    def score(self, estimate: Estimate, at: float) -> Verdict:
        """Take an estimate that arrived at an instant."""
        frame = None if estimate.frame is None else self._frames.get(estimate.frame)
        verdict = self._judge(estimate, frame, at)
        self._results[verdict.result] += 1
        if verdict.result in (Result.ANSWERED, Result.NOT_FOUND):
            if frame is None:
                self._unnumbered += 1
            else:
                frame.answered = True
                self._answered += 1
        since = at if frame is None else frame.drawn_at
        if (
            verdict.result is Result.ANSWERED
            and self._started is not None
            and since - self._started >= WARM_UP
        ):
            self._record(verdict)
        return verdict

    def _judge(self, estimate: Estimate, frame: _Frame | None, at: float) -> Verdict:
        def verdict(result: Result, **figures: float) -> Verdict:
            return Verdict(
                result,
                estimate.frame,
                estimate.x,
                estimate.y,
                detect_ms=estimate.detect_ms,
                **figures,
            )

        unknown = estimate.frame is not None and frame is None
        if unknown or self._started is None or not self._plausible(estimate):
            return verdict(Result.REJECTED)
        figures = {}
        if frame is not None:
            figures["true_x"], figures["true_y"] = truth = self._centre(frame.seconds)
            figures["latency_ms"] = 1e3 * (at - frame.drawn_at)
        if frame is not None and frame.answered:
            return verdict(Result.DUPLICATE, **figures)
        if estimate.x is None or estimate.y is None:
            return verdict(Result.NOT_FOUND, **figures)
        found = (estimate.x, estimate.y)
        if frame is not None:
            figures["detection_error_px"] = math.dist(found, truth)
        figures["tracking_error_px"] = math.dist(found, self._centre(at - self._origin))
        return verdict(Result.ANSWERED, **figures)

    def _plausible(self, estimate: Estimate) -> bool:
        """Whether the place is in the picture, or off it by no more than the picture's size."""
        return all(
            value is None or -extent <= value <= 2 * extent
            for value, extent in zip((estimate.x, estimate.y), self._size, strict=True)
        )

    def _record(self, verdict: Verdict) -> None:
        for name, distribution in self._figures.items():
            value = getattr(verdict, name)
            if value is not None:
                distribution.add(value)

    def snapshot(self) -> Snapshot:
        """The session at present; lost are the frames whose estimates would come too late by now.

        It costs a few microseconds, so that whatever is live can be made of it.
        """
        recent = {name: distribution.recent() for name, distribution in self._figures.items()}
        lost = max(self._expired - self._unnumbered, 0)
        return Snapshot(recent=recent, **asdict(self._counts(self._sent, lost)))

    def total(self, until: float) -> Score:
        """The figures of a session that ended, or whose client was last heard of, at `until`.

        A frame without an answer is lost, but for those of the last half second.
        """
        unseen = sum(frame.drawn_at > until for frame in self._frames.values())
        undecided = sum(
            until - GRACE < frame.drawn_at <= until and not frame.answered
            for frame in self._frames.values()
        )
        sent = self._sent - unseen
        lost = max(sent - self._answered - self._unnumbered - undecided, 0)
        figures: dict[str, Any] = {name: each.statistics() for name, each in self._figures.items()}
        return Score(
            seconds=0.0 if self._started is None else max(until - self._started, 0.0),
            **asdict(self._counts(sent, lost)),
            **figures,
        )

    def _counts(self, sent: int, lost: int) -> Counts:
        return Counts(
            frames_sent=sent,
            frames_answered=self._answered,
            frames_lost=lost,
            not_found=self._results[Result.NOT_FOUND],
            duplicates=self._results[Result.DUPLICATE],
            rejected=self._results[Result.REJECTED],
        )
