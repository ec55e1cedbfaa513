"""The live view and the notes of a program, on standard error."""

import logging
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from ..errors import printable
from .view import Cells

TERMINAL_PERIOD = 0.25
PLAIN_PERIOD = 2.0


class Terminal:
    """Shows rows that change: a table where there is a terminal, else lines of text.

    `table` and `line` say how rows look in either. As a context manager it also takes the log
    over, so that log lines and live view do not overwrite each other.
    """

    def __init__(
        self, table: Callable[[Iterable[Cells]], Table], line: Callable[[Cells], str]
    ) -> None:
        self._table = table
        self._line = line
        self._console = _StandardError(stderr=True, highlight=False)
        self._live: Live | None = None
        self._log = _NoteHandler(self)

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self._log)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()
        logging.getLogger().removeHandler(self._log)

    @property
    def period(self) -> float:
        """Seconds between two calls of `show`."""
        return TERMINAL_PERIOD if self._console.is_terminal else PLAIN_PERIOD

    def show(self, rows: list[Cells]) -> None:
        """Show the present rows."""
        if not self._console.is_terminal:
            for row in rows:
                self.note(self._line(row))
        elif rows:
            self._start_live().update(self._table(rows), refresh=True)
        else:
            self.clear()

    def note(self, text: str) -> None:
        """Say something once, above the live view.

        What a peer had a part in may hold anything: control characters stay out.
        """
        self._console.print(printable(text), markup=False, soft_wrap=True)

    def _start_live(self) -> Live:
        if self._live is None:
            # No thread of its own, and no hands on standard output, where reports go.
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        return self._live

    def clear(self) -> None:
        """Take the live view away, so that what is printed next stays."""
        if self._live is not None:
            self._live.stop()
            self._live = None


class _StandardError(Console):
    """Standard error; that nobody reads it any more is no reason to stop."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class _NoteHandler(logging.Handler):
    """Turns log records into notes."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._terminal.note(self.format(record))
