"""The instants at which each frame passes the stages of the loop; off unless it is asked for.

Where the environment variable `BALLSTREAM_TRACE` names a file, marks are kept in memory, up to a
limit, and written there at the end of the process, a line each: stage, frame number, and instant
in seconds of the monotonic clock, which all processes of one Linux machine share.
"""

import os
import time
from pathlib import Path

VARIABLE = "BALLSTREAM_TRACE"

STAGES = ("begun", "drawn", "encoded", "received", "decoded", "handed", "seen", "arrived")
"""The stages in the order in which a frame passes them."""

_MOST_MARKS = 1_000_000

_file = os.environ.get(VARIABLE)
_marks: list[tuple[str, int, float]] = []


def enabled() -> bool:
    """Whether marks are kept."""
    return _file is not None


def mark(stage: str, frame: int | None, at: float | None = None) -> None:
    """Note that a frame passes a stage, now or at an instant of the monotonic clock."""
    if _file is not None and frame is not None and len(_marks) < _MOST_MARKS:
        _marks.append((stage, frame, time.monotonic() if at is None else at))


def write() -> None:
    """Write the marks to the file, if there is one."""
    if _file is not None:
        lines = (f"{stage} {frame} {at:.7f}\n" for stage, frame, at in _marks)
        Path(_file).write_text("".join(lines), encoding="ascii")


def read(path: Path) -> dict[int, dict[str, float]]:
    """The marks in a file: for each frame the instants by stage."""
    frames: dict[int, dict[str, float]] = {}
    for line in path.read_text(encoding="ascii").splitlines():
        stage, frame, at = line.split()
        frames.setdefault(int(frame), {})[stage] = float(at)
    return frames
