"""Truth and estimates, with the instants at which they came about, into a session's figures."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from ..protocol.messages import Alive, Estimate
from .counts import Count, Counts, declared
from .distribution import Distribution, Recent, Statistics
from .gaps import Continuity, Gaps
from .held import HeldError
from .ledger import REMEMBERED, Fates, Frame, Ledger, Schedule

WARM_UP = 1.0
"""Seconds at the start of a session that the statistics leave out."""

GRACE = 0.5
"""Seconds before the end in which an unanswered frame is not yet a lost one, at the least.

Where the recent latency is long, it is twice its 95th percentile.
"""


class Result(StrEnum):
    """What became of an estimate."""

    ANSWERED = "answered"
    NOT_FOUND = "not_found"
    DUPLICATE = "duplicate"
    LATE = "late"
    REJECTED = "rejected"
    EARLY = "early"
    """Of a frame from before the opening: it counts for nothing, nor against anybody."""

    AGAIN = "again"
    """The copy of an estimate that has come: likewise."""


class Verdict(msgspec.Struct, frozen=True):
    """One estimate beside the truth; None where there is nothing to compare.

    `true_x` and `true_y` are the ball's centre in the frame that the estimate names; `counted` says
    whether the figures are part of the statistics, which leave out the start of a session.
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
    client_ms: float | None = None
    counted: bool = False

    @property
    def way_ms(self) -> float | None:
        """What of the latency is not the client's: the server and the network, both ways."""
        if self.latency_ms is None or self.client_ms is None:
            return None
        return self.latency_ms - self.client_ms


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


class Loss(msgspec.Struct, frozen=True):
    """Why frames were lost, as far as the client says: together they are all that were."""

    on_the_way: Annotated[
        int, Count("On the way", "on the way", "The frame, or the answer to it, did not arrive.")
    ]
    skipped: Annotated[int, Count("Skipped", "skipped", "The client was busy with another frame.")]
    late: Annotated[int, Count("Late", "late", "The answer came after ten seconds.")]


class Score(Counts, frozen=True, kw_only=True):
    """The counts and figures of one session, which lasted so many seconds.

    It began with the first frame that was due, or went out. `lost` splits the frames that were
    lost; None where the client did not say what it skipped. `first_answer_ms` is from the beginning
    to the first answer, None where none came.
    """

    seconds: float
    lost: Loss | None
    first_answer_ms: float | None = None
    gaps: Gaps = Gaps()
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
    way_ms: Annotated[
        Statistics,
        Figure(
            "way_ms",
            "Server and network",
            "ms",
            2,
            "The part of the latency before the last packet of a frame reaches the client, and "
            "after its estimate has left. Only of clients that say how long they take.",
        ),
    ]
    client_ms: Annotated[
        Statistics,
        Figure(
            "client_ms",
            "Client",
            "ms",
            2,
            "The part of the latency in the client: from the last packet of a frame to the "
            "estimate made from it, as the client measures it.",
        ),
    ]
    detect_ms: Annotated[
        Statistics,
        Figure(
            "detect_ms",
            "Detector",
            "ms",
            2,
            "The part of the detector in the time of the client, as the client measures it.",
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
    held_error_px: Annotated[
        Statistics,
        Figure(
            "held_error_px",
            "Held error",
            "px",
            3,
            "At every instant, the distance from the newest answer there is to the ball's true "
            "centre: weighted by time, from the first answer to the end, pauses included. Not even "
            "a perfect loop has less than speed / (2 fps) on average.",
        ),
    ] = Statistics(0)


FIGURES = tuple(declared(Score, Figure).values())
"""The figures of a session, each declared once, above."""

_OF_ANSWERS = tuple(each for each in FIGURES if hasattr(Verdict, each.name))
"""Those of which each answer has a value."""


class Snapshot(Counts, frozen=True, kw_only=True):
    """A session as it stands: its counts, and each figure over the last 120 answers.

    The mean of the held error, and the longest gap, are over all answers so far.
    """

    recent: dict[str, Recent]
    held_error_px: float | None = None
    longest_gap_ms: float | None = None


class Scorer:
    """Scores the estimates of one client.

    `centre` gives the ball's true centre at a time of the scene in seconds; `origin` is the
    instant of the clock at which that time is 0, and frame `i` is due at `origin + i / fps`. All
    instants are seconds of one clock.

    It wants to be told when the client can answer (`opened`), and of every frame that the source
    drew: that it went out (`drawn`), or was left out as the client lagged (`dropped`). A number of
    which it hears nothing is one that the server missed; where `fps` is None, frames are due only
    once a later one was drawn.
    """

    def __init__(
        self,
        centre: Callable[[float], tuple[float, float]],
        size: tuple[int, int],
        origin: float,
        fps: float | None = None,
    ) -> None:
        self.size = size
        self._centre = centre
        self._origin = origin
        self._ledger = Ledger(None if fps is None else Schedule(origin, fps))
        self._results = dict.fromkeys(Result, 0)
        self._alive: Alive | None = None
        self._figures = {figure.name: Distribution() for figure in _OF_ANSWERS}
        self._held = HeldError(lambda at: centre(at - origin))
        self._continuity = Continuity(fps)
        self._first_answer: float | None = None

    def opened(self, at: float) -> None:
        """From an instant on the client gets frames and can answer them: now they are due.

        Without it none is. Only the first time counts.
        """
        self._ledger.opened(at)

    def joined(self, at: float) -> None:
        """The client takes part, from an instant on, in what goes out anyhow.

        As `opened`; but what it was told of before is not the client's, and its time begins here.
        """
        self._ledger.joined(at)

    def interrupted(self) -> None:
        """Nothing goes out, until a frame does: those whose time comes meanwhile are not due."""
        self._ledger.interrupted()

    def drawn(self, number: int, seconds: float, at: float) -> None:
        """Frame `number` went out; it shows the scene at `seconds`, and was drawn just after `at`.

        A frame that goes out twice, over both transports, counts once.
        """
        self._ledger.drawn(number, seconds, at)

    def dropped(self, number: int, seconds: float, at: float) -> None:
        """Frame `number` was left out, as this client, or the way to it, did not keep up."""
        self._ledger.dropped(number, seconds, at)

    def alive(self, message: Alive) -> bool:
        """The client says how many frames it got and skipped in all; False where that cannot be.

        What cannot be is not believed, as it would put what was lost on the way to another account.
        """
        fates = self._ledger.now()
        went_out = self._ledger.went_out
        skippable = went_out - fates.answered - fates.unnumbered
        if not (message.skipped <= message.received <= went_out and message.skipped <= skippable):
            return False
        before = self._alive or message
        newer = message.received >= before.received and message.skipped >= before.skipped
        older = message.received <= before.received and message.skipped <= before.skipped
        if newer:
            self._alive = message
        return newer or older  # an older one was overtaken on the way

    def reject(self) -> None:
        """Count a message that was no estimate at all."""
        self._results[Result.REJECTED] += 1

    def score(self, estimate: Estimate, at: float) -> Verdict:
        """Take an estimate that arrived at an instant."""
        frame = None if estimate.frame is None else self._ledger.find(estimate.frame)
        verdict = self._judge(estimate, frame, at)
        self._results[verdict.result] += 1
        if verdict.result is Result.LATE and frame is not None:
            self._ledger.late(frame)
        if verdict.result in (Result.ANSWERED, Result.NOT_FOUND):
            if frame is None:
                self._ledger.claim(at)
            elif not self._ledger.answer(frame):
                self._results[Result.DUPLICATE] += 1
            self._follow(verdict, frame, at)
        if verdict.counted:
            self._record(verdict)
        return verdict

    def _follow(self, verdict: Verdict, frame: Frame | None, at: float) -> None:
        """Take an answer as one of a row of them over time."""
        if self._first_answer is None:
            self._first_answer = at
        self._continuity.answer(at, self._begin)
        if verdict.x is not None and verdict.y is not None:
            number = None if frame is None else frame.number
            self._held.answer(number, (verdict.x, verdict.y), at, self._begin)

    @property
    def _begin(self) -> float:
        """The instant from which on time counts."""
        started = self._ledger.started
        return math.inf if started is None else started + WARM_UP

    def _judge(self, estimate: Estimate, frame: Frame | None, at: float) -> Verdict:
        latency_ms = None if frame is None else 1e3 * (at - frame.drawn_at)
        longest = 1e3 * REMEMBERED if latency_ms is None else latency_ms
        detect_ms, client_ms = _durations(estimate, longest)

        def verdict(result: Result, **figures: Any) -> Verdict:
            return Verdict(
                result,
                estimate.frame,
                estimate.x,
                estimate.y,
                detect_ms=detect_ms,
                client_ms=client_ms,
                **figures,
            )

        started = self._ledger.started
        unknown = estimate.frame is not None and frame is None
        copied = estimate.again is True
        if unknown or started is None or not self._plausible(estimate):
            return verdict(Result.AGAIN if copied else Result.REJECTED)
        figures: dict[str, Any] = {}
        if frame is not None:
            figures["true_x"], figures["true_y"] = truth = self._centre(frame.seconds)
            figures["latency_ms"] = latency_ms
        if frame is not None and not frame.due:
            return verdict(Result.EARLY, **figures)
        if self._is_answered(frame, at):
            return verdict(Result.AGAIN if copied else Result.DUPLICATE, **figures)
        if frame is not None and at - frame.drawn_at > REMEMBERED:
            return verdict(Result.LATE, **figures)
        if estimate.x is None or estimate.y is None:
            return verdict(Result.NOT_FOUND, **figures)
        found = (estimate.x, estimate.y)
        if frame is not None:
            figures["detection_error_px"] = math.dist(found, truth)
        figures["tracking_error_px"] = math.dist(found, self._centre(at - self._origin))
        since = at if frame is None else frame.drawn_at
        return verdict(Result.ANSWERED, counted=since - started >= WARM_UP, **figures)

    def _is_answered(self, frame: Frame | None, at: float) -> bool:
        """Whether an estimate has no frame left that it could be the first answer to."""
        if frame is None:
            return self._ledger.claimable(at) is None
        return frame.answered or frame.late

    def _plausible(self, estimate: Estimate) -> bool:
        """Whether the place is in the picture, or off it by no more than the picture's size."""
        return all(
            value is None or -extent <= value <= 2 * extent
            for value, extent in zip((estimate.x, estimate.y), self.size, strict=True)
        )

    def _record(self, verdict: Verdict) -> None:
        for name, distribution in self._figures.items():
            value = getattr(verdict, name)
            if value is not None:
                distribution.add(value)

    def snapshot(self) -> Snapshot:
        """The session at present; lost are the frames whose answers would come too late by now.

        It costs a few microseconds, so that whatever is live can be made of it.
        """
        recent = {name: distribution.recent() for name, distribution in self._figures.items()}
        return Snapshot(
            recent=recent,
            held_error_px=self._held.mean,
            longest_gap_ms=self._continuity.longest_ms,
            **self._counts(self._ledger.now()),
        )

    def total(self, until: float, outages: Iterable[tuple[float, float | None]] = ()) -> Score:
        """The figures of a session that ended, or whose client was last heard of, at `until`.

        No estimate came later. What was drawn later does not count. `outages` of the network, where
        any are known, are from and to instants, to None where one did not end.
        """
        p95 = self._figures["latency_ms"].recent().p95 or 0.0
        grace = min(max(GRACE, 2e-3 * p95), REMEMBERED)
        counts = self._counts(self._ledger.total(until, grace))
        figures: dict[str, Any] = {name: each.statistics() for name, each in self._figures.items()}
        return Score(
            seconds=self._seconds(until, counts["frames_due"]),
            lost=self._loss(counts["frames_lost"]),
            first_answer_ms=self._first_answer_ms(),
            held_error_px=self._held.statistics(until, self._begin),
            gaps=self._continuity.total(until, self._begin, outages),
            **counts,
            **figures,
        )

    def _seconds(self, until: float, due: int) -> float:
        """How long it lasted; a client that got nothing, and was due nothing, was never there."""
        began = self._ledger.began
        if began is None or (self._ledger.started is None and not due):
            return 0.0
        return max(until - began, 0.0)

    def _first_answer_ms(self) -> float | None:
        began, answered = self._ledger.began, self._first_answer
        return None if began is None or answered is None else 1e3 * (answered - began)

    def _counts(self, fates: Fates) -> dict[str, Any]:
        """All counts; each frame that was due is in one of them."""
        results = self._results
        return {
            "frames_due": fates.due,
            "frames_missed": fates.due - fates.dropped - fates.sent,
            "frames_dropped": fates.dropped,
            "frames_sent": fates.sent,
            "frames_answered": fates.answered,
            "unnumbered": fates.unnumbered,
            "frames_lost": fates.sent - fates.answered - fates.unnumbered - fates.open,
            "frames_undecided": fates.open,
            "not_found": results[Result.NOT_FOUND],
            "duplicates": results[Result.DUPLICATE],
            "rejected": results[Result.REJECTED] + results[Result.LATE],
        }

    def _loss(self, lost: int) -> Loss | None:
        if self._alive is None:
            return None
        late = min(self._ledger.lost_late, lost)
        skipped = min(self._alive.skipped, lost - late)
        return Loss(lost - late - skipped, skipped, late)


def _durations(estimate: Estimate, longest: float) -> tuple[float | None, float | None]:
    """What the client measured of the detector and of itself; None where it cannot be true.

    Of two that contradict each other nobody knows which is wrong.
    """
    detect_ms, client_ms = (
        None if duration is None or duration > longest else duration
        for duration in (estimate.detect_ms, estimate.client_ms)
    )
    if detect_ms is not None and client_ms is not None and detect_ms > client_ms:
        return None, None
    return detect_ms, client_ms
