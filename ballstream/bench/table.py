"""Runs into figures: medians, a table, a document."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import Any

import msgspec
from rich import box
from rich.table import Table

from ..report.records import SCHEMA_VERSION, SessionReport
from ..report.view import number
from .run import Run
from .scenarios import meaning_of

_COLUMNS = (
    "scenario", "runs", "answered %", "due", "missed", "dropped", "lost",
    "latency ms p50", "p95", "p99", "gain", "longest gap ms", "held px",
    "detection px p50", "p95", "max",
    "bytes a frame", "server CPU %", "client CPU %", "lateness ms p99",
)  # fmt: skip


class Figures(msgspec.Struct, frozen=True):
    """The runs of a scenario summed up, null where there was nothing to measure.

    The frames are those of all runs together; `answered` is the share of the frames due in the
    worst run, in percent, and `detection_max_px` the worst of all; the rest are medians over the
    runs.
    """

    runs: int
    answered: float | None
    frames_due: int
    frames_missed: int
    frames_dropped: int
    frames_answered: int
    unnumbered: int
    frames_lost: int
    frames_undecided: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    way_p50_ms: float | None
    client_p50_ms: float | None
    detect_p50_ms: float | None
    detection_p50_px: float | None
    detection_p95_px: float | None
    detection_max_px: float | None
    tracking_p50_px: float | None
    held_mean_px: float | None
    longest_gap_ms: float | None
    lateness_p99_ms: float | None
    bytes_a_frame: float | None
    server_cpu: float
    client_cpu: float


def figures(runs: Sequence[Run]) -> Figures:
    """Sum up the runs of one scenario, of which there is at least one."""
    sessions = [run.session for run in runs]

    def middle(statistics: str, name: str) -> float | None:
        return _over(median, [getattr(getattr(each, statistics), name) for each in sessions])

    return Figures(
        runs=len(runs),
        answered=_over(min, [each.answered_percent for each in sessions]),
        frames_due=sum(each.frames_due for each in sessions),
        frames_missed=sum(each.frames_missed for each in sessions),
        frames_dropped=sum(each.frames_dropped for each in sessions),
        frames_answered=sum(each.frames_answered for each in sessions),
        unnumbered=sum(each.unnumbered for each in sessions),
        frames_lost=sum(each.frames_lost for each in sessions),
        frames_undecided=sum(each.frames_undecided for each in sessions),
        latency_p50_ms=middle("latency_ms", "p50"),
        latency_p95_ms=middle("latency_ms", "p95"),
        latency_p99_ms=middle("latency_ms", "p99"),
        way_p50_ms=middle("way_ms", "p50"),
        client_p50_ms=middle("client_ms", "p50"),
        detect_p50_ms=middle("detect_ms", "p50"),
        detection_p50_px=middle("detection_error_px", "p50"),
        detection_p95_px=middle("detection_error_px", "p95"),
        detection_max_px=_over(max, [each.detection_error_px.max for each in sessions]),
        tracking_p50_px=middle("tracking_error_px", "p50"),
        held_mean_px=middle("held_error_px", "mean"),
        longest_gap_ms=_over(median, [each.gaps.longest_ms for each in sessions]),
        lateness_p99_ms=_over(median, [run.lateness_p99_ms for run in runs]),
        bytes_a_frame=_over(median, [_bytes_a_frame(each) for each in sessions]),
        server_cpu=median(run.server_cpu for run in runs),
        client_cpu=median(run.client_cpu for run in runs),
    )


def _bytes_a_frame(session: SessionReport) -> float | None:
    """All that went out for a frame, in packets."""
    is_known = session.frames_sent and session.transport != "published"  # which went elsewhere
    return session.bytes_sent / session.frames_sent if is_known else None


def _over(
    function: Callable[[Iterable[float]], float], values: Iterable[float | None]
) -> float | None:
    """What a function makes of the values that there are; None where there is none."""
    measured = [value for value in values if value is not None]
    return float(function(measured)) if measured else None


def results_table(results: Mapping[str, Sequence[Run]]) -> Table:
    """One row a scenario; the gain is its latency (p50) against that of the last one."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column == "scenario" else "right")
    rows = {name: figures(runs) for name, runs in results.items()}
    slowest = list(rows.values())[-1].latency_p50_ms
    for name, row in rows.items():
        table.add_row(
            name,
            str(row.runs),
            number(row.answered, 1),
            str(row.frames_due),
            str(row.frames_missed),
            str(row.frames_dropped),
            str(row.frames_lost),
            number(row.latency_p50_ms, 2),
            number(row.latency_p95_ms, 2),
            number(row.latency_p99_ms, 2),
            _gain(slowest, row.latency_p50_ms),
            number(row.longest_gap_ms, 0),
            number(row.held_mean_px, 2),
            number(row.detection_p50_px, 3),
            number(row.detection_p95_px, 3),
            number(row.detection_max_px, 3),
            number(row.bytes_a_frame, 0),
            number(row.server_cpu, 1),
            number(row.client_cpu, 1),
            number(row.lateness_p99_ms, 2),
        )
    return table


def _gain(slowest: float | None, latency: float | None) -> str:
    return f"{slowest / latency:.1f}x" if slowest and latency else "-"


def results_document(
    results: Mapping[str, Sequence[Run]], duration: float, environment: Mapping[str, Any]
) -> str:
    """All runs and their figures as JSON."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "environment": environment,
        "duration": duration,
        "scenarios": [
            {
                "name": name,
                "meaning": meaning_of(name),
                "figures": figures(runs),
                "runs": runs,
            }
            for name, runs in results.items()
        ],
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()
