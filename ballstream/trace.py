"""The instants of each frame's way round the loop, for the profile; off unless it is asked for.

Where the environment variable `BALLSTREAM_TRACE` names a file, every mark is kept in memory, up
to a limit, and written there at the end of the process as lines of `stage frame instant`, the
instant in seconds of the machine's monotonic clock.
"""

import atexit
import os
import time
from pathlib import Path

VARIABLE = "BALLSTREAM_TRACE"

_MOST_MARKS = 1_000_000

_marks: list[tuple[str, int, float]] = []
_file = os.environ.get(VARIABLE)

enabled = _file is not None


def mark(stage: str, frame: int, at: float | None = None) -> None:
    """Note that a frame has passed a stage, now or at an instant of the monotonic clock."""
    if enabled and len(_marks) < _MOST_MARKS:
        _marks.append((stage, frame, time.monotonic() if at is None else at))


def _write() -> None:
    if _file is not None:
        lines = (f"{stage} {frame} {at:.7f}\n" for stage, frame, at in _marks)
        Path(_file).write_text("".join(lines), encoding="ascii")


if enabled:
    atexit.register(_write)
