"""The files of `--output`."""

import csv
import logging
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Self

from .errors import UsageError

logger = logging.getLogger(__name__)


class OutputFolder:
    """A folder with `estimates.csv`, which grows row by row, and `summary.json` at the end.

    Raises UsageError where the folder cannot be written.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._file = (path / "estimates.csv").open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"cannot write to {path} ({error.strerror}): choose another --output"
            ) from None
        self._rows = csv.writer(self._file)
        self._full = False
        self.add(columns)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, row: Iterable[object]) -> None:
        """Write one row; a disk that is full ends the file, not the measurement."""
        if self._full:
            return
        try:
            self._rows.writerow(row)
        except OSError as error:
            self._full = True
            logger.error("estimates.csv ends here: %s", error.strerror)

    def write_summary(self, document: str) -> None:
        """Write `summary.json`."""
        (self._path / "summary.json").write_text(document + "\n", encoding="utf-8")


def open_output(
    path: Path | None, columns: Sequence[str]
) -> AbstractContextManager[OutputFolder | None]:
    """The folder of `--output` as a context manager, or None where none was asked for."""
    return nullcontext() if path is None else OutputFolder(path, columns)
