"""What is reported of a session, as JSON and as rows of CSV."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ..scoring.distribution import Statistics
from ..scoring.score import Verdict

SCHEMA_VERSION = 1

CSV_COLUMNS = ("session", "at", *Verdict.__struct_fields__)
"""Columns of `estimates.csv`; `at` is the arrival in seconds of the scene's time."""


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
    """One session as the client reports it.

    `frames_skipped` had to make way for newer ones, `frames_refused` were too large or of odd
    size, `frames_lost` came in parts on a datachannel and not whole; `breaks` counts how often the
    video went on with a keyframe after a loss, `rejected` the messages of the server that were
    neither feedback nor part of a frame.
    """

    id: int
    transport: str
    codec: str
    seconds: float
    frames_received: int
    frames_skipped: int
    frames_refused: int
    frames_lost: int
    breaks: int
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
