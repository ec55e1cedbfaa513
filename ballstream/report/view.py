"""Figures into what people read on a terminal: tables, lines, summaries."""

from collections.abc import Iterable, Sequence

import msgspec

from ..errors import BallstreamError
from ..protocol import messages
from ..protocol.messages import Feedback
from ..scoring.counts import counts_of
from ..scoring.distribution import Statistics
from ..scoring.score import FIGURES, Snapshot
from .observers import Watched
from .records import Ended, Progress, ReceptionReport, SessionReport

Cells = tuple[str, ...]

_LIVE_COUNTS = {
    name: count.live for name, count in counts_of(Snapshot).items() if count.live is not None
}
_LIVE_FIGURES = (
    ("error px", "detection_error_px", "p50", 3),
    ("latency", "latency_ms", "p50", 1),
    ("p95 ms", "latency_ms", "p95", 1),
    ("client ms", "client_ms", "p50", 1),
    ("detector", "detect_ms", "p50", 1),
)
_SERVER_COLUMNS = (
    "client", *_LIVE_COUNTS.values(), "answered", *(heading for heading, *_ in _LIVE_FIGURES),
    "held px", "gap ms",
)  # fmt: skip
_CLIENT_COLUMNS = (
    "frames", "skipped", "estimates", "detector ms", "answered", "error px", "latency ms",
)  # fmt: skip


def client_name(session: Watched) -> str:
    """A client in the live view: its number, and its own name if it has one."""
    return f"client {session.number}{_in_brackets(session.name)}"


def _in_brackets(name: str | None) -> str:
    return f" ({name})" if name else ""


def end_line(report: SessionReport) -> str:
    """That a session is over, and why."""
    reason = "" if report.ended is None else f": {report.ended.reason}"
    return f"client {report.id}{_in_brackets(report.client)} is gone{reason}"


def unheard_line(session: Watched) -> str:
    """That a client could be scored, and why it is not."""
    return f"{client_name(session)} watches, but opened no channel `{messages.LABEL}`"


def unpublished_line(url: str, error: BallstreamError, *, again: bool) -> str:
    """That a media server does not get the video, why, and whether that may change."""
    return f"not publishing to {url}: {error}; {'trying again' if again else 'giving up'}"


def server_cells(name: str, now: Snapshot) -> Cells:
    """What the live view shows of a session: counts, and percentiles of the last 120 answers.

    Held error (its mean) and longest gap are over all answers.
    """
    return (
        name,
        *(str(getattr(now, count)) for count in _LIVE_COUNTS),
        percent(now.answered_percent),
        *(
            number(getattr(now.recent[figure], percentile), places)
            for _, figure, percentile, places in _LIVE_FIGURES
        ),
        number(now.held_error_px, 1),
        number(now.longest_gap_ms, 0),
    )


def server_table(rows: Iterable[Cells]) -> list[str]:
    """The live view of a server, one row a client."""
    return _table(_SERVER_COLUMNS, rows)


def server_line(cells: Cells) -> str:
    """The same for one session as a line of text."""
    name, *rest = cells
    columns = zip(_SERVER_COLUMNS[1:], rest, strict=True)
    return f"{name}: " + ", ".join(f"{heading} {cell}" for heading, cell in columns)


def summary_lines(report: SessionReport) -> list[str]:
    """A session's summary for the terminal of the server."""
    ending = "" if report.ended is None else f"; {_ending(report.ended)}"
    lines = [
        f"client {report.id}{_in_brackets(report.client)}, {report.transport}, {report.codec}, "
        f"{report.seconds:.1f} s, {percent(report.answered_percent)} of the frames due "
        f"answered{ending}",
        f"  {_counted(report)}",
    ]
    if report.lost is not None:
        lines.append(f"  of those lost: {_counted(report.lost)}")
    if not report.channel:
        lines.append("  it opened no coordinates channel, so it could not answer")
    return [
        *lines,
        *(
            _figures(each.title, getattr(report, each.name), each.unit, each.places)
            for each in FIGURES
        ),
        *_continuity(report),
    ]


def _continuity(report: SessionReport) -> list[str]:
    """How evenly answers came, where any did."""
    gaps = report.gaps
    if report.first_answer_ms is None:
        return []
    recovery = "" if gaps.recovery_ms is None else f", back {gaps.recovery_ms:.0f} ms after outages"
    frozen = "" if gaps.freezes is None else f" of {number(gaps.frozen_ms, 0)} ms"
    return [
        f"  first answer after {report.first_answer_ms:.0f} ms; "
        f"longest gap {number(gaps.longest_ms, 0)} ms, "
        f"{'-' if gaps.freezes is None else gaps.freezes} freezes{frozen}, "
        f"{number(gaps.harmonic_fps, 1)} answers/s (harmonic){recovery}"
    ]


def _ending(ended: Ended) -> str:
    return f"it failed: {ended.reason}" if ended.failed else ended.reason


def _counted(record: msgspec.Struct) -> str:
    """All counts of a record in words."""
    counts = counts_of(type(record)).items()
    return ", ".join(f"{getattr(record, name)} {count.words}" for name, count in counts)


def reception_lines(report: ReceptionReport) -> list[str]:
    """A session's summary for the terminal of the client."""
    failures = "".join(
        f", {words} {count} times"
        for words, count in (
            ("answered outside the picture", report.outside),
            ("could not read the number", report.unreadable),
            ("saw a picture again", report.repeated),
            ("detector failed", report.detector_errors),
            ("was replaced", report.detector_restarts),
        )
        if count
    )
    return [
        f"{report.transport}, {report.codec}, {report.seconds:.1f} s: "
        f"{report.frames_received} frames received, {report.frames_skipped} skipped, "
        f"{report.estimates_sent} estimates sent, {report.not_found} without a ball{failures}",
        _figures("Detector", report.detect_ms, "ms", 2),
    ]


def _figures(name: str, statistics: Statistics, unit: str, places: int) -> str:
    figures = "  ".join(
        f"{label} {number(getattr(statistics, label), places):>8}"
        for label in ("mean", "p50", "p95", "p99", "max")
    )
    # A figure is worth what the number of values behind it is.
    return f"  {name.lower():<18} {unit}  {figures}  n {statistics.n}"


def percent(share: float | None) -> str:
    """A share for people, a dash where there is none."""
    return "-" if share is None else f"{share:.1f} %"


def number(value: float | None, places: int) -> str:
    """A figure with a fixed number of decimal places, a dash where there is none."""
    return "-" if value is None else f"{value:.{places}f}"


def client_cells(progress: Progress) -> Cells:
    """What the live view of a client shows, and what the server says of it."""
    feedback = progress.feedback or Feedback(0, None, None)
    return (
        str(progress.received),
        str(progress.skipped),
        str(progress.sent),
        number(progress.detect_ms, 2),
        str(feedback.answered),
        number(feedback.detection_error_px, 3),
        number(feedback.latency_ms, 1),
    )


def client_table(rows: Iterable[Cells]) -> list[str]:
    """The live view of a client."""
    return _table(_CLIENT_COLUMNS, rows)


def client_line(cells: Cells) -> str:
    """The same as a line of text."""
    received, skipped, sent, detect_ms, answered, error, latency = cells
    return (
        f"{received} frames, {skipped} skipped, {sent} estimates, detector {detect_ms} ms; "
        f"the server says: {answered} answered, error {error} px, latency {latency} ms"
    )


def _table(columns: Sequence[str], rows: Iterable[Cells]) -> list[str]:
    """Cells in columns under a heading; whoever they are about is on the left."""
    lines = [columns, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    left = columns[0] == "client"
    heading, *others = (
        "  ".join(
            cell.ljust(width) if left and place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
    return [heading, "\N{BOX DRAWINGS LIGHT HORIZONTAL}" * len(heading), *others]
