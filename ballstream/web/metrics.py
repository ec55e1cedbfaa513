"""What Prometheus scrapes: the sums over all sessions, those that have ended included.

Names and units follow https://prometheus.io/docs/practices/naming/; no label grows with use.
"""

from collections import Counter as Tally
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

from ..errors import BallstreamError
from ..report.observers import Observer, Watched
from ..report.records import SessionReport
from ..scoring.counts import Counts, counts_of
from ..scoring.score import Result, Snapshot, Verdict

_LATENCY = (
    0.001, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.15,
    0.25, 0.5, 1,
)  # fmt: skip
_DETECTION = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_TRACKING = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128)
_HELD = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


_LABELLED = {
    "frames": ("Frames by what became of them.", "result"),
    "messages_rejected": ("Messages of clients that answered no frame, by reason.", "reason"),
}
"""Help and label of the families that have several counts; the others have those of their count."""

_KINDS = ("scored", "passive")
_OUTCOMES = ("ended", "failed", "never_connected")


class Metrics(Observer):
    """The metrics of a server; `update` brings the counters up to date before a scrape.

    Offers are those refused, the sessions at present, and those that have ended, each once.
    """

    def __init__(self, build: Mapping[str, str], most_sessions: int) -> None:
        self.registry = CollectorRegistry()
        self.complete = True
        """Whether we have heard of everything."""

        ProcessCollector(registry=self.registry)
        self._watched: dict[int, _Account] = {}
        Info("ballstream_build", "Versions.", registry=self.registry).info(dict(build))
        self._gauge("sessions_limit", "Sessions that fit in at a time.").set(most_sessions)
        self._sessions = self._gauge("sessions", "Sessions at present, by kind.", "kind")
        self._offers = self._counter("offers", "Offers of clients, whatever became of them.")
        self._refused = self._counter("sessions_refused", "Clients that were refused.")
        self._ended = self._counter(
            "sessions_ended", "Sessions that have ended, by kind and how.", "kind", "outcome"
        )
        for kind in _KINDS:
            self._sessions.labels(kind)
            for outcome in _OUTCOMES:
                self._ended.labels(kind, outcome)
        self._counters = self._make_counters()
        self._freezes = self._counter("freezes", "Freezes of sessions that have ended.")
        self._frozen = self._counter("frozen_seconds", "Time in freezes, of ended sessions.")
        self._held = self._histogram(
            "held_error_pixels", "Newest answer to truth, the mean over a whole session.", _HELD
        )
        self._histograms = {
            "latency_ms": self._histogram(
                "latency_seconds", "From drawing a frame to the arrival of its estimate.", _LATENCY
            ),
            "detection_error_px": self._histogram(
                "detection_error_pixels", "Estimate to truth in the same frame.", _DETECTION
            ),
            "tracking_error_px": self._histogram(
                "tracking_error_pixels", "Estimate to truth at its arrival.", _TRACKING
            ),
        }

    def _count_gaps(self, report: SessionReport) -> None:
        """Take what is known of a session only when it has ended."""
        if report.held_error_px.mean is not None:
            self._held.observe(report.held_error_px.mean)
        self._freezes.inc(report.gaps.freezes or 0)
        self._frozen.inc((report.gaps.frozen_ms or 0.0) / 1e3)

    def _make_counters(self) -> dict[str, Counter]:
        """A counter for each count that has a metric."""
        families: dict[str, Counter] = {}
        counters = {}
        for name, count in counts_of(Snapshot).items():
            if count.metric is None:
                continue
            text, *labels = _LABELLED.get(count.metric.family, (count.meaning,))
            if count.metric.family not in families:
                families[count.metric.family] = self._counter(count.metric.family, text, *labels)
            family = families[count.metric.family]
            counters[name] = family.labels(count.metric.value) if labels else family
        return counters

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"ballstream_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"ballstream_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"ballstream_{name}", text, buckets=buckets, registry=self.registry)

    def came(self, session: Watched) -> None:
        self._offers.inc()
        self._watched[session.number] = _Account(session)

    def refused(self, error: BallstreamError) -> None:
        self._offers.inc()
        self._refused.inc()

    def verdict(self, session: Watched, at: float, verdict: Verdict) -> None:
        if verdict.result is not Result.ANSWERED:
            return
        for name, histogram in self._histograms.items():
            value = getattr(verdict, name)
            if value is not None:
                # Prometheus wants seconds.
                histogram.observe(value / 1e3 if name.endswith("_ms") else value)

    def ended(self, session: Watched, report: SessionReport) -> None:
        account = self._watched.pop(session.number)
        self._ended.labels(_kind(session), _outcome(report)).inc()
        if not session.passive:
            self._count(account, report)
            self._count_gaps(report)

    def left_out(self, error: Exception) -> None:
        self.complete = False

    def update(self) -> None:
        """Bring the counters up to the present figures of the sessions that run."""
        kinds = Tally(dict.fromkeys(_KINDS, 0))
        for account in self._watched.values():
            kinds[_kind(account.session)] += 1
            if not account.session.passive:
                self._count(account, account.session.snapshot())
        for kind, count in kinds.items():
            self._sessions.labels(kind).set(count)

    def _count(self, account: "_Account", counts: Counts) -> None:
        """Add to the counters what is new since the last time."""
        now = Tally({name: getattr(counts, name) for name in self._counters})
        for name, increase in (now - account.counted).items():
            self._counters[name].inc(increase)
        # A counter never goes down; what was lost may turn out to have been answered.
        account.counted |= now


@dataclass
class _Account:
    """A session that runs, and what of its counts is in the counters already."""

    session: Watched
    counted: Tally[str] = field(default_factory=Tally)


def _kind(session: Watched) -> str:
    return "passive" if session.passive else "scored"


def _outcome(report: SessionReport) -> str:
    if report.ended is not None and report.ended.failed:
        return "failed"
    # The seconds are counted from the first frame on that was due.
    return "ended" if report.seconds else "never_connected"
