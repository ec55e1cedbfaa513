"""The live view and the notes of a program, on standard error."""

import logging
import os
import sys
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from ..errors import InternalFailure, printable
from .screen import Screen
from .view import Cells
from .writer import Make, Writer

logger = logging.getLogger(__name__)

TERMINAL_PERIOD = 0.25
PLAIN_PERIOD = 2.0
_USUAL_HEIGHT = 24
_LEAST_WIDTH = 60
"""Columns of a terminal below which too much of a table would be cut off."""


class Terminal:
    """Shows rows that change: a table where there is a terminal, else lines of text.

    `table` and `line` say how rows look in either. Use as a context manager: meanwhile it also
    takes the log over, so that log lines and live view do not overwrite each other. All is written
    by a thread, and what cannot be written is left out.
    """

    def __init__(
        self, table: Callable[[Iterable[Cells]], list[str]], line: Callable[[Cells], str]
    ) -> None:
        self._table = table
        self._line = line
        self._descriptor = _standard_error()
        self._screen = Screen()
        self._rows: Iterable[Cells] = ()
        """What is to be drawn next: a slot of one, so that nothing old is drawn."""

        self._caption = ""
        self._said = ""
        """The caption that was last said, where there is no table to stand above."""

        self._queued = False
        self.failed = False
        """Whether we failed to make a text; that one cannot be written is no failure."""

        self._log = _NoteHandler(self)

    def __enter__(self) -> Self:
        self._writer = Writer(self._descriptor)
        logging.getLogger().addHandler(self._log)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        logging.getLogger().removeHandler(self._log)
        self.clear()
        self._writer.close()

    @property
    def _is_terminal(self) -> bool:
        """Whether a table can be drawn there again and again; it may change its size."""
        if self._descriptor is None or os.environ.get("TERM", "") in ("", "dumb"):
            return False
        width = _size(self._descriptor).columns or _LEAST_WIDTH
        return os.isatty(self._descriptor) and width >= _LEAST_WIDTH

    @property
    def period(self) -> float:
        """Seconds between two calls of `show`."""
        return TERMINAL_PERIOD if self._is_terminal else PLAIN_PERIOD

    def show(self, rows: Iterable[Cells], caption: str = "") -> None:
        """Show the present rows; those of a generator are made in the thread that draws.

        The caption stands above the table; without a terminal it is said again when it changes.
        """
        self._rows, self._caption = rows, caption
        if not self._queued:
            self._queued = True
            self._queued = self._put(self._draw)

    def _draw(self) -> str:
        self._queued = False
        rows, self._rows = self._rows, ()
        caption = [self._caption] if self._caption else []
        cells = list(rows)
        if not self._is_terminal:
            new = [] if self._caption == self._said else caption
            self._said = self._caption
            lines = [*new, *map(self._line, cells)]
            return self._screen.clear() + "".join(f"{printable(line)}\n" for line in lines)
        lines = [*caption, *(self._table(cells) if cells else [])]
        return self._screen.draw(lines, _size(self._descriptor).lines or _USUAL_HEIGHT)

    def _put(self, make: Make) -> bool:
        """Have a text made and written; where one cannot be made, that is said once."""

        def made() -> str:
            try:
                return make()
            except Exception as error:
                known, self.failed = self.failed, True
                failure = InternalFailure("making the live view", error)
                return "" if known else self._screen.note(str(failure))

        return self._writer.put(made)

    def note(self, text: str) -> None:
        """Say something once, above the live view.

        What a peer had a part in may hold anything: control characters stay out.
        """
        self._put(lambda: self._screen.note(text))

    def clear(self) -> None:
        """Take the live view away, so that what is printed next stays."""
        self._rows = ()
        self._put(self._screen.clear)
        self._writer.flush()


def _standard_error() -> int | None:
    """The descriptor of standard error; None where it is closed."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _size(descriptor: int | None) -> os.terminal_size:
    """The size of the terminal, 0 by 0 where it does not say or is none."""
    try:
        if descriptor is not None:
            return os.get_terminal_size(descriptor)
    except OSError:
        pass
    return os.terminal_size((0, 0))


class _NoteHandler(logging.Handler):
    """Turns log records into notes."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
        except Exception:
            self.handleError(record)
        else:
            self._terminal.note(text)
