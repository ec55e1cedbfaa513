"""Figures into what people and programs read: a table, lines of text, JSON and CSV rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from rich import box
from rich.table import Table

from .distribution import Statistics
from .score import Scorer, Verdict

SCHEMA_VERSION = 1

CSV_COLUMNS = ("session", "at", *Verdict.__struct_fields__)
"""Columns of `estimates.csv`; `at` is the arrival in seconds of the scene's time."""

_LIVE_COLUMNS = (
    "client", "frames", "answered", "detection px", "tracking px", "latency p50", "p95 ms",
)  # fmt: skip


class SessionReport(msgspec.Struct, frozen=True):
    """One session as the server reports it."""

    id: int
    transport: str
    codec: str
    seconds: float
    frames_sent: int
    frames_answered: int
    frames_lost: int
    not_found: int
    duplicates: int
    rejected: int
    bytes_sent: int
    detection_error_px: Statistics
    tracking_error_px: Statistics
    latency_ms: Statistics


class ReceptionReport(msgspec.Struct, frozen=True):
    """One session as the client reports it."""

    id: int
    transport: str
    codec: str
    seconds: float
    frames_received: int
    frames_skipped: int
    estimates_sent: int
    estimates_dropped: int
    not_found: int
    detector_errors: int
    detector_restarts: int
    rejected: int
    detect_ms: Statistics


def document(
    config: Mapping[str, Any],
    environment: Mapping[str, Any],
    sessions: Sequence[SessionReport | ReceptionReport],
) -> str:
    """The JSON document of a run."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "config": config,
        "environment": environment,
        "sessions": sessions,
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()


def csv_row(session: int, at: float, verdict: Verdict) -> list[object]:
    """The row of `estimates.csv` for one estimate, empty where there is nothing to say."""
    return [session, round(at, 6), *map(_rounded, msgspec.structs.astuple(verdict))]


def _rounded(value: object) -> object:
    return "" if value is None else round(value, 4) if isinstance(value, float) else value


def live_cells(name: str, scorer: Scorer) -> tuple[str, ...]:
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


def live_table(rows: Iterable[tuple[str, ...]]) -> Table:
    """The live view of a server, one row a client."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in _LIVE_COLUMNS:
        table.add_column(column, justify="left" if column == "client" else "right")
    for row in rows:
        table.add_row(*row)
    return table


def live_line(cells: tuple[str, ...]) -> str:
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
