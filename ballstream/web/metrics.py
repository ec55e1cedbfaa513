"""What Prometheus scrapes: the sums over all sessions, those that have ended included.

Names and units follow https://prometheus.io/docs/practices/naming/; no label grows with use.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

from ..scoring.score import Result, Verdict
from ..session import Session

_LATENCY = (
    0.001, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.15,
    0.25, 0.5, 1,
)  # fmt: skip
_DETECTION = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_TRACKING = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The metrics of a server; `update` brings the counters up to date before a scrape."""

    def __init__(self, build: Mapping[str, str], most_sessions: int) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._counted: dict[int, Tally[tuple[str, ...]]] = {}
        Info("ballstream_build", "Versions.", registry=self.registry).info(dict(build))
        self._sessions = self._gauge("sessions", "Sessions at present, by kind.", "kind")
        self._gauge("sessions_limit", "Sessions that fit in at a time.").set(most_sessions)
        self._ended = self._counter("sessions_ended", "Sessions that have ended, by kind.", "kind")
        self._refused = self._counter("sessions_refused", "Clients that were refused.")
        self._sent = self._counter("frames_sent", "Frames that went out to clients that answer.")
        self._frames = self._counter("frames", "Frames by what became of them.", "result")
        self._rejected = self._counter(
            "messages_rejected", "Messages of clients that answered no frame, by reason.", "reason"
        )
        for kind in ("scored", "passive"):
            self._sessions.labels(kind)
            self._ended.labels(kind)
        for result in ("answered", "not_found", "lost"):
            self._frames.labels(result)
        for reason in ("duplicate", "invalid"):
            self._rejected.labels(reason)
        self._latency = self._histogram(
            "latency_seconds", "From drawing a frame to the arrival of its estimate.", _LATENCY
        )
        self._detection = self._histogram(
            "detection_error_pixels", "Estimate to truth in the same frame.", _DETECTION
        )
        self._tracking = self._histogram(
            "tracking_error_pixels", "Estimate to truth at its arrival.", _TRACKING
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"ballstream_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"ballstream_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"ballstream_{name}", text, buckets=buckets, registry=self.registry)

    def observe(self, verdict: Verdict) -> None:
        """Take an estimate."""
        if verdict.result is not Result.ANSWERED:
            return
        if verdict.latency_ms is not None:
            self._latency.observe(verdict.latency_ms / 1e3)
        if verdict.detection_error_px is not None:
            self._detection.observe(verdict.detection_error_px)
        if verdict.tracking_error_px is not None:
            self._tracking.observe(verdict.tracking_error_px)

    def refused(self) -> None:
        """Count a client that got no session."""
        self._refused.inc()

    def update(self, sessions: Iterable[Session]) -> None:
        """Bring the counters up to the present figures of the sessions that run."""
        kinds = Tally({"scored": 0, "passive": 0})
        for session in sessions:
            kinds[_kind(session)] += 1
            if not session.passive:
                self._count(session.number, _figures(session, session.scorer.frames_expired))
        for kind, count in kinds.items():
            self._sessions.labels(kind).set(count)

    def ended(self, session: Session, lost: int) -> None:
        """Take the last figures of a session, which lost so many frames in all."""
        self._ended.labels(_kind(session)).inc()
        if not session.passive:
            self._count(session.number, _figures(session, lost))
        self._counted.pop(session.number, None)

    def _count(self, number: int, figures: Tally[tuple[str, ...]]) -> None:
        """Add to the counters what is new since the last time."""
        before = self._counted.get(number, Tally())
        for (name, *labels), increase in (figures - before).items():
            counter: Counter = getattr(self, f"_{name}")
            (counter.labels(*labels) if labels else counter).inc(increase)
        self._counted[number] = figures | before


def _kind(session: Session) -> str:
    return "passive" if session.passive else "scored"


def _figures(session: Session, lost: int) -> Tally[tuple[str, ...]]:
    scorer = session.scorer
    not_found = scorer.counts[Result.NOT_FOUND]
    return Tally(
        {
            ("sent",): scorer.frames_sent,
            ("frames", "answered"): max(scorer.frames_answered - not_found, 0),
            ("frames", "not_found"): not_found,
            ("frames", "lost"): lost,
            ("rejected", "duplicate"): scorer.counts[Result.DUPLICATE],
            ("rejected", "invalid"): scorer.counts[Result.REJECTED],
        }
    )
