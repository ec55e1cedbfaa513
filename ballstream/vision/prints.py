"""What a detector prints: it appears on standard error at once, and never costs an answer."""

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Beside(io.RawIOBase):
    """Standard error, where it can be written; what it does not take is left out."""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2

    def write(self, data: "ReadableBuffer") -> int:
        with suppress(OSError):
            os.write(2, data)
        return memoryview(data).nbytes


def print_beside() -> None:
    """Let Python's standard output and standard error be that, in whatever letters."""
    sys.stdout = _text()
    sys.stderr = _text()


def _text() -> io.TextIOWrapper:
    return io.TextIOWrapper(
        _Beside(),  # type: ignore[arg-type]  # whole, as it takes all that it is given
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
        write_through=True,
    )
