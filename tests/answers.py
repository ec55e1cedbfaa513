"""Lines of `estimates.csv` as the server writes them, and the reports that go with them."""

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from ballstream.protocol.messages import Estimate
from ballstream.protocol.stamp import MODULUS
from ballstream.report import records as report
from ballstream.report.records import SessionReport
from ballstream.scoring.score import Result, Scorer, Verdict

FPS = 8
SIZE = (640, 480)


def centre(seconds: float) -> tuple[float, float]:
    """A ball that moves to the right, 64 px in a second, and jumps back every eight."""
    return 100 + 64 * (seconds % 8), 200.0


def line(session: int, at: float, verdict: Verdict) -> str:
    """A line as it stands in the file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(report.csv_row(session, at, verdict))
    return text.getvalue()


def answer(
    session: int,
    at: float,
    latency_ms: float | None = 250,
    detection_error_px: float | None = 0.25,
    tracking_error_px: float | None = 1.5,
    place: tuple[float, float] = (10, 20),
    truth: tuple[float, float] = (10.25, 20),
    counted: bool = True,
) -> str:
    """The line of an answer."""
    verdict = Verdict(
        Result.ANSWERED,
        frame=7,
        x=place[0],
        y=place[1],
        true_x=truth[0],
        true_y=truth[1],
        detection_error_px=detection_error_px,
        tracking_error_px=tracking_error_px,
        latency_ms=latency_ms,
        detect_ms=0.5,
        counted=counted,
    )
    return line(session, at, verdict)


def session(
    number: int,
    start: float,
    latencies: Sequence[float | None],
    errors: Sequence[float] = (0.0,),
    stamped: bool = True,
) -> tuple[SessionReport, list[str]]:
    """A session scored for real, eight frames a second: its report and its lines.

    Frame by frame it takes the next of the latencies (in s; None is a frame that is lost) and of
    the errors (in px, to the right).
    """
    scorer = Scorer(centre, SIZE, 0.0)
    scorer.opened(0.0)
    lines, at = [], start
    for place, latency in enumerate(latencies):
        drawn_at = start + place / FPS
        scorer.drawn(place, drawn_at, drawn_at)
        if latency is None:
            continue
        at = drawn_at + latency
        x, y = centre(drawn_at)
        estimate = Estimate(
            place % MODULUS if stamped else None, x + errors[place % len(errors)], y, 0.2
        )
        lines.append(line(number, at, scorer.score(estimate, at)))
    figures = msgspec.structs.asdict(scorer.total(at))
    made = SessionReport(id=number, transport="track", codec="VP8", bytes_sent=1234, **figures)
    return made, lines


def interleaved(*sessions: Iterable[str]) -> list[str]:
    """The lines of several sessions in the order of their arrival."""
    return sorted((each for lines in sessions for each in lines), key=_arrival)


def _arrival(text: str) -> float:
    return float(text.split(",")[1])
