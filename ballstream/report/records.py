"""What is reported of a session, as JSON and as rows of CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from ..impairment.record import ImpairmentRecord
from ..protocol.messages import Feedback
from ..scoring.counts import Count
from ..scoring.distribution import Statistics
from ..scoring.score import Score, Verdict

SCHEMA_VERSION = 1

CSV_COLUMNS = ("session", "at", *Verdict.__struct_fields__)
"""Columns of `estimates.csv`.

`at` is the arrival in seconds of the scene's time; `counted` is 1 where the figures are part of the
session's statistics, else 0.
"""


class Ended(msgspec.Struct, frozen=True):
    """How a session ended: by whom, whether that was a failure of ours, and why, in words."""

    by: str
    failed: bool
    reason: str


class SessionReport(Score, frozen=True, kw_only=True):
    """One session as the server reports it.

    `client` is the name that the client gave itself; `channel` is False where it opened no channel
    for its answers, so that nothing could be scored.
    """

    id: int
    transport: str
    codec: str
    client: str | None = None
    channel: bool = True
    ended: Ended | None = None
    bytes_sent: Annotated[
        int, Count("Bytes sent", "bytes sent", "All that the client was sent, as packets.")
    ]


class Progress(msgspec.Struct, frozen=True):
    """A client's session as it stands, and what the server said of it last.

    `detect_ms` is the median of the last answers.
    """

    received: int
    skipped: int
    sent: int
    detect_ms: float | None
    feedback: Feedback | None


class ReceptionReport(msgspec.Struct, frozen=True):
    """One session as the client reports it.

    `frames_skipped` had to make way for newer ones, `frames_refused` were too large or of odd
    size, `frames_lost` came in parts on a datachannel and not whole; `breaks` counts how often the
    video went on with a keyframe after a loss, `outside` the answers with a place outside the
    picture (those far off went out as no ball), `unreadable` the pictures whose number could not be
    read, `repeated` those of a number that was answered before, `not_found` the estimates sent that
    there is no ball, `rejected` the messages of the server that were
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
    outside: int
    unreadable: int
    repeated: int
    detector_errors: int
    detector_restarts: int
    rejected: int
    detect_ms: Statistics


@dataclass(frozen=True, slots=True)
class EmulatedNetwork:
    """A network that a run emulated, and what changed in it when, in seconds of the scene."""

    record: ImpairmentRecord
    steps: Sequence[tuple[float, str]]


def document(
    config: Mapping[str, Any],
    environment: Mapping[str, Any],
    impairment: ImpairmentRecord | None,
    sessions: Sequence[SessionReport | ReceptionReport],
) -> str:
    """The JSON document of a run, with the network that it emulated, if it did."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "config": config,
        "environment": environment,
        "impairment": impairment,
        # Whoever reads it wants to know first of whom the rest speaks.
        "sessions": [{"id": each.id, **msgspec.structs.asdict(each)} for each in sessions],
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()


def csv_row(session: int, at: float, verdict: Verdict) -> list[object]:
    """The row of `estimates.csv` for one estimate, empty where there is nothing to say."""
    return [session, round(at, 6), *map(_rounded, msgspec.structs.astuple(verdict))]


def _rounded(value: object) -> object:
    match value:
        case None:
            return ""
        case bool():
            return int(value)
        case float():
            return round(value, 4)
        case _:
            return value
