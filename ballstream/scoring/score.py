"""Truth and estimates, with the instants at which they came about, into a session's figures."""

import math
from collections.abc import Callable
from enum import StrEnum

import msgspec

from ..protocol.messages import Estimate
from ..protocol.stamp import MODULUS
from .distribution import Distribution, Statistics

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


class Score(msgspec.Struct, frozen=True):
    """The counts and figures of one session.

    `frames_lost` are the frames that no estimate came back for, without those of the last half
    second, for which one might still have been on its way; so `frames_sent` may exceed the sum
    of `frames_answered` and `frames_lost` by these. An answer that no ball was found counts as
    answered. An estimate that names no frame answers none, but makes one fewer a lost one.
    """

    seconds: float
    frames_sent: int
    frames_answered: int
    frames_lost: int
    not_found: int
    duplicates: int
    rejected: int
    detection_error_px: Statistics
    tracking_error_px: Statistics
    latency_ms: Statistics


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
        self.frames_sent = 0
        self.frames_answered = 0
        """Frames for which an estimate came back, one that no ball was found included."""

        self.counts = dict.fromkeys(Result, 0)
        self._expired = self._unnumbered = 0
        self.detection = Distribution()
        self.tracking = Distribution()
        self.latency = Distribution()

    def drawn(self, number: int, seconds: float, at: float) -> None:
        """Frame `number` shows the scene at `seconds`; `at` is the instant before it was drawn."""
        if self._started is None:
            self._started = at
        if number % MODULUS in self._frames:  # it went out on the other transport already
            return
        self.frames_sent += 1
        self._frames[number % MODULUS] = _Frame(seconds, at)
        self._forget(at - REMEMBERED)

    def _forget(self, before: float) -> None:
        while True:
            oldest = next(iter(self._frames))
            if self._frames[oldest].drawn_at >= before:
                return
            self._expired += not self._frames.pop(oldest).answered

    @property
    def frames_expired(self) -> int:
        """Frames that are lost for sure, as their estimates would come too late by now."""
        return max(self._expired - self._unnumbered, 0)

    def reject(self) -> None:
        """Count a message that was no estimate at all."""
        self.counts[Result.REJECTED] += 1

    def score(self, estimate: Estimate, at: float) -> Verdict:
        """Take an estimate that arrived at an instant."""
        frame = None if estimate.frame is None else self._frames.get(estimate.frame)
        verdict = self._judge(estimate, frame, at)
        self.counts[verdict.result] += 1
        if verdict.result in (Result.ANSWERED, Result.NOT_FOUND):
            if frame is None:
                self._unnumbered += 1
            else:
                frame.answered = True
                self.frames_answered += 1
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
        for value, distribution in (
            (verdict.detection_error_px, self.detection),
            (verdict.tracking_error_px, self.tracking),
            (verdict.latency_ms, self.latency),
        ):
            if value is not None:
                distribution.add(value)

    def total(self, until: float) -> Score:
        """The figures of a session that ended, or whose client was last heard of, at `until`."""
        unseen = sum(frame.drawn_at > until for frame in self._frames.values())
        undecided = sum(
            until - GRACE < frame.drawn_at <= until and not frame.answered
            for frame in self._frames.values()
        )
        sent = self.frames_sent - unseen
        return Score(
            seconds=0.0 if self._started is None else max(until - self._started, 0.0),
            frames_sent=sent,
            frames_answered=self.frames_answered,
            frames_lost=max(sent - self.frames_answered - self._unnumbered - undecided, 0),
            not_found=self.counts[Result.NOT_FOUND],
            duplicates=self.counts[Result.DUPLICATE],
            rejected=self.counts[Result.REJECTED],
            detection_error_px=self.detection.statistics(),
            tracking_error_px=self.tracking.statistics(),
            latency_ms=self.latency.statistics(),
        )
