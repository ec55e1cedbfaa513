"""Figures into what people read on a terminal: tables, lines, summaries."""

from collections.abc import Iterable

from rich import box
from rich.table import Table

from ..protocol.messages import Feedback
from ..scoring.distribution import Distribution, Statistics
from ..scoring.score import Scorer
from .records import ReceptionReport, SessionReport

Cells = tuple[str, ...]

_SERVER_COLUMNS = (
    "client", "frames", "answered", "detection px", "tracking px", "latency p50", "p95 ms",
)  # fmt: skip
_CLIENT_COLUMNS = (
    "frames", "skipped", "estimates", "detector ms", "answered", "error px", "latency ms",
)  # fmt: skip


def server_cells(name: str, scorer: Scorer) -> Cells:
    """What the live view shows of a session: counts, and percentiles of the last 120 answers."""
    share = 100 * scorer.frames_answered / scorer.frames_sent if scorer.frames_sent else 0
    return (
        name,
        str(scorer.frames_sent),
        f"{scorer.frames_answered} ({share:.1f} %)",
        number(scorer.detection.recent(50), 3),
        number(scorer.tracking.recent(50), 2),
        number(scorer.latency.recent(50), 1),
        number(scorer.latency.recent(95), 1),
    )


def server_table(rows: Iterable[Cells]) -> Table:
    """The live view of a server, one row a client."""
    return _table(_SERVER_COLUMNS, rows)


def server_line(cells: Cells) -> str:
    """The same for one session as a line of text."""
    name, frames, answered, detection, tracking, p50, p95 = cells
    return (
        f"{name}: {frames} frames, {answered} answered, detection {detection} px, "
        f"tracking {tracking} px, latency p50 {p50} p95 {p95} ms"
    )


def summary_lines(report: SessionReport) -> list[str]:
    """A session's summary for the terminal of the server."""
    share = 100 * report.frames_answered / report.frames_sent if report.frames_sent else 0
    counts = (
        f"{report.frames_sent} frames sent, {report.frames_answered} answered ({share:.1f} %), "
        f"{report.frames_lost} lost, {report.not_found} not found, "
        f"{report.duplicates} duplicate, {report.rejected} rejected"
    )
    return [
        f"client {report.id} ({report.transport}, {report.codec}), {report.seconds:.1f} s: "
        f"{counts}",
        _figures("detection error", report.detection_error_px, "px", 3),
        _figures("tracking error", report.tracking_error_px, "px", 3),
        _figures("latency", report.latency_ms, "ms", 2),
    ]


def reception_lines(report: ReceptionReport) -> list[str]:
    """A session's summary for the terminal of the client."""
    failures = (
        f", detector failed {report.detector_errors} times" if report.detector_errors else ""
    ) + (f", was replaced {report.detector_restarts} times" if report.detector_restarts else "")
    return [
        f"{report.transport}, {report.codec}, {report.seconds:.1f} s: "
        f"{report.frames_received} frames received, {report.frames_skipped} skipped, "
        f"{report.estimates_sent} estimates sent, {report.not_found} without a ball{failures}",
        _figures("detector", report.detect_ms, "ms", 2),
    ]


def _figures(name: str, statistics: Statistics, unit: str, places: int) -> str:
    figures = "  ".join(
        f"{label} {number(getattr(statistics, label), places):>8}"
        for label in ("mean", "p50", "p95", "p99", "max")
    )
    return f"  {name:<16} {unit}  {figures}"


def number(value: float | None, places: int) -> str:
    """A figure with a fixed number of decimal places, a dash where there is none."""
    return "-" if value is None else f"{value:.{places}f}"


def client_cells(
    received: int, skipped: int, sent: int, detect_ms: Distribution, feedback: Feedback
) -> Cells:
    """What the live view of a client shows, and what the server says of it."""
    return (
        str(received),
        str(skipped),
        str(sent),
        number(detect_ms.recent(50), 2),
        str(feedback.answered),
        number(feedback.detection_error_px, 3),
        number(feedback.latency_ms, 1),
    )


def client_table(rows: Iterable[Cells]) -> Table:
    """The live view of a client."""
    return _table(_CLIENT_COLUMNS, rows)


def client_line(cells: Cells) -> str:
    """The same as a line of text."""
    received, skipped, sent, detect_ms, answered, error, latency = cells
    return (
        f"{received} frames, {skipped} skipped, {sent} estimates, detector {detect_ms} ms; "
        f"the server says: {answered} answered, error {error} px, latency {latency} ms"
    )


def _table(columns: Iterable[str], rows: Iterable[Cells]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="left" if column == "client" else "right")
    for row in rows:
        table.add_row(*row)
    return table
