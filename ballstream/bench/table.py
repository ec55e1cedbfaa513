"""Runs into figures: medians, a table, a document."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import msgspec
from rich import box
from rich.table import Table

from ..report.records import SCHEMA_VERSION
from ..report.view import number
from .run import Run

_COLUMNS = (
    "scenario", "runs", "answered %", "latency ms p50", "p95", "p99", "gain",
    "detection px p50", "p95", "max", "server CPU %", "client CPU %",
)  # fmt: skip


class Figures(msgspec.Struct, frozen=True):
    """Medians over the runs of a scenario; of `detection_max_px` and `answered` the worst."""

    runs: int
    answered: float
    latency_p50_ms: float
    latency_p95_ms: float
    latency_p99_ms: float
    detection_p50_px: float
    detection_p95_px: float
    detection_max_px: float
    server_cpu: float
    client_cpu: float


def figures(runs: Sequence[Run]) -> Figures:
    """Sum up the runs of one scenario, of which there is at least one."""
    sessions = [run.session for run in runs]

    def middle(statistics: str, name: str) -> float:
        values = (getattr(getattr(session, statistics), name) for session in sessions)
        return float(median(value for value in values if value is not None))

    return Figures(
        runs=len(runs),
        answered=min(each.answered_percent or 0.0 for each in sessions),
        latency_p50_ms=middle("latency_ms", "p50"),
        latency_p95_ms=middle("latency_ms", "p95"),
        latency_p99_ms=middle("latency_ms", "p99"),
        detection_p50_px=middle("detection_error_px", "p50"),
        detection_p95_px=middle("detection_error_px", "p95"),
        detection_max_px=max(each.detection_error_px.max or 0 for each in sessions),
        server_cpu=median(run.server_cpu for run in runs),
        client_cpu=median(run.client_cpu for run in runs),
    )


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
            number(row.latency_p50_ms, 2),
            number(row.latency_p95_ms, 2),
            number(row.latency_p99_ms, 2),
            f"{slowest / row.latency_p50_ms:.1f}x",
            number(row.detection_p50_px, 3),
            number(row.detection_p95_px, 3),
            number(row.detection_max_px, 3),
            number(row.server_cpu, 1),
            number(row.client_cpu, 1),
        )
    return table


def results_document(
    results: Mapping[str, Sequence[Run]], duration: float, environment: Mapping[str, Any]
) -> str:
    """All runs and their figures as JSON."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "environment": environment,
        "duration": duration,
        "scenarios": [
            {"name": name, "figures": figures(runs), "runs": runs} for name, runs in results.items()
        ],
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()
