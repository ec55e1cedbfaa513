"""The files of `--output`."""

import csv
import fcntl
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from ..errors import InternalFailure, UsageError
from ..scoring.score import Verdict
from .observers import Observer, Watched
from .records import csv_row

logger = logging.getLogger(__name__)


class OutputFolder:
    """A folder with `estimates.csv`, which grows row by row, and what is written at the end.

    Raises UsageError where the folder cannot be written, or somebody else writes there.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path = path
        self._estimates = path / "estimates.csv"
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._file = _alone(self._estimates)
        except BlockingIOError:
            raise UsageError(
                f"another program writes to {str(path)!r} at present: choose another --output"
            ) from None
        except OSError as error:
            raise UsageError(
                f"cannot write to {str(path)!r} ({error.strerror}): choose another --output"
            ) from None
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._cut_off = False
        self.add(columns)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except OSError as error:
            self.cut_off(error)

    @property
    def complete(self) -> bool:
        """Whether every row was written; a row that still waits to be written counts."""
        return not self._cut_off

    def add(self, row: Iterable[object]) -> None:
        """Write one row; what fails, as on a disk that is full, ends the file, and nothing else."""
        if self._cut_off:
            return
        try:
            self._rows.writerow(row)
        except Exception as error:
            self.cut_off(error)

    def finish(self) -> bool:
        """Write the rows that wait; whether every one was written."""
        try:
            self._file.flush()
        except OSError as error:
            self.cut_off(error)
        return self.complete

    def cut_off(self, error: Exception) -> None:
        """Let the rows end here, because of an error."""
        if not self._cut_off:
            logger.error("estimates.csv ends here: %s", _reason(error))
            logger.debug("estimates.csv ends here", exc_info=error)
        self._cut_off = True

    def lines(self) -> Iterator[str]:
        """Those of `estimates.csv` without its header; the last may be cut off."""
        with self._estimates.open(encoding="utf-8") as file:
            next(file, None)
            yield from file

    def write_summary(self, document: str) -> bool:
        """Write `summary.json`, and the rows that wait.

        False, and a line in the log, where one of the two files is not complete.
        """
        written = self._write("summary.json", lambda: document + "\n")
        return self.finish() and written

    def write_report(self, make: Callable[[], str]) -> bool:
        """Write `report.html`, made when all rows can be read; False where that cannot be."""
        self.finish()
        return self._write("report.html", make)

    def _write(self, name: str, make: Callable[[], str]) -> bool:
        file = self._path / name
        try:
            file.write_text(make(), encoding="utf-8")
        except Exception as error:
            logger.error("cannot write %s: %s", name, _reason(error))
            logger.debug("cannot write %s", name, exc_info=error)
            with suppress(OSError):
                file.unlink(missing_ok=True)
            return False
        return True


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror is not None:
        return error.strerror
    return str(InternalFailure("writing", error))


def _alone(path: Path) -> TextIO:
    """Open a file to write it anew, once nobody else does; else raises BlockingIOError."""
    file = path.open("a", newline="", encoding="utf-8")
    try:
        _lock(file)
        if path.is_file():
            file.truncate(0)
    except BaseException:
        file.close()
        raise
    return file


def _lock(file: TextIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:  # not every file system has locks
        logger.debug("cannot lock %s: %s", file.name, error)


class EstimateRows(Observer):
    """Writes a row of `estimates.csv` for every estimate."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder

    def verdict(self, session: Watched, at: float, verdict: Verdict) -> None:
        try:
            row = csv_row(session.number, at, verdict)
        except Exception as error:
            self._folder.cut_off(error)
        else:
            self._folder.add(row)


def open_output(
    path: Path | None, columns: Sequence[str]
) -> AbstractContextManager[OutputFolder | None]:
    """The folder of `--output` as a context manager, or None where none was asked for."""
    return nullcontext() if path is None else OutputFolder(path, columns)
