"""Reports to show and to write."""

import msgspec

from ballstream.impairment.conditions import Impairment
from ballstream.impairment.emulation import Direction, Link
from ballstream.impairment.grammar import parse_plan
from ballstream.impairment.record import ImpairmentRecord, record_of
from ballstream.report.records import Ended, ReceptionReport, SessionReport
from ballstream.scoring.distribution import Statistics
from ballstream.scoring.gaps import Gaps
from ballstream.scoring.score import Loss, Scorer, Snapshot

FIGURES = Statistics(100, 0.5, 0.25, 1.125, 2.0, 3.0)
NONE = Statistics(0)

SESSION = SessionReport(
    id=3,
    transport="track",
    codec="VP8",
    seconds=12.34,
    frames_due=480,
    frames_missed=20,
    frames_dropped=60,
    frames_sent=400,
    frames_answered=384,
    unnumbered=4,
    frames_lost=9,
    frames_undecided=3,
    not_found=2,
    duplicates=1,
    rejected=5,
    bytes_sent=123_456,
    lost=Loss(on_the_way=4, skipped=3, late=2),
    latency_ms=NONE,
    way_ms=NONE,
    client_ms=NONE,
    detect_ms=FIGURES,
    detection_error_px=FIGURES,
    tracking_error_px=FIGURES,
    held_error_px=FIGURES,
    first_answer_ms=140.0,
    gaps=Gaps(longest_ms=500.0, freezes=1, frozen_ms=480.0, harmonic_fps=24.5),
)


def emulated(seed: int = 7) -> ImpairmentRecord:
    """The record of a network that took two packets down, and none up."""
    plan = parse_plan("delay=40ms,loss=2%")
    links: dict[Direction, Link[str]] = {each: Link(plan, seed, each) for each in Direction}
    for size in (100, 200):
        links[Direction.DOWN].offer("packet", size, 0.0)
    return record_of(Impairment(plan, plan, seed), links)


NETWORK = emulated()

RECEPTION = ReceptionReport(
    id=1,
    transport="track",
    codec="H264",
    seconds=12.34,
    frames_received=390,
    frames_skipped=4,
    frames_refused=0,
    frames_lost=0,
    breaks=0,
    estimates_sent=386,
    estimates_dropped=0,
    not_found=2,
    outside=0,
    unreadable=0,
    repeated=0,
    detector_errors=0,
    detector_restarts=0,
    rejected=0,
    detect_ms=FIGURES,
)


class Session:
    """A session as observers watch it."""

    def __init__(
        self, number: int, *, name: str | None = None, passive: bool = False, sent: int = 0
    ) -> None:
        self.number = number
        self.name = name
        self.passive = passive
        self.transport = "track"
        self.lacks_channel = False
        self.scorer = Scorer(lambda seconds: (100, 200), (640, 480), 0)
        self.scorer.opened(0)
        for frame in range(sent):
            self.scorer.drawn(frame, frame / 8, frame / 8)

    def snapshot(self) -> Snapshot:
        return self.scorer.snapshot()

    def report(self, until: float = 1000, ended: Ended | None = None) -> SessionReport:
        return SessionReport(
            id=self.number,
            client=self.name,
            transport=self.transport,
            codec="VP8",
            ended=ended,
            bytes_sent=1234,
            **msgspec.structs.asdict(self.scorer.total(until)),
        )
