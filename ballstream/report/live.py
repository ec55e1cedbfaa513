"""The live view of a server: a row for each client that is scored, and a note of each event."""

import asyncio
import math
from collections.abc import Callable
from itertools import islice, starmap

from ..errors import BallstreamError
from ..scoring.score import Snapshot
from . import view
from .observers import Observer, Watched
from .records import SessionReport
from .terminal import Terminal

_OLDEST = 1.0
"""Seconds that a row may be old, so that a redraw costs the sessions of many clients little."""

_AT_ONCE = 8


class LiveView(Observer):
    """Shows on a terminal what it is told of, under a caption as it is at the time."""

    def __init__(self, terminal: Terminal, caption: Callable[[], str] = str) -> None:
        self._terminal = terminal
        self._caption = caption
        self._sessions: dict[int, Watched] = {}
        self._rows: dict[int, tuple[str, Snapshot]] = {}  # the oldest first
        self._missing: dict[str, str] = {}  # what was said of media servers that do not get it

    def came(self, session: Watched) -> None:
        self._sessions[session.number] = session

    def refused(self, error: BallstreamError) -> None:
        self._terminal.note(f"refused a client: {error}")

    def unheard(self, session: Watched) -> None:
        self._terminal.note(view.unheard_line(session))

    def published(self, url: str) -> None:
        self._missing.pop(url, None)
        self._terminal.note(f"publishing to {url}")

    def unpublished(self, url: str, error: BallstreamError, pause: float | None) -> None:
        line = view.unpublished_line(url, error, again=pause is not None)
        if self._missing.get(url) != line:  # it is tried again and again, and said once
            self._missing[url] = line
            self._terminal.note(line)

    def ended(self, session: Watched, report: SessionReport) -> None:
        del self._sessions[session.number]
        self._rows.pop(session.number, None)
        self._terminal.note(view.end_line(report))

    def left_out(self, error: Exception) -> None:
        self._sessions.clear()  # rather nothing than a client that has gone
        self._rows.clear()

    async def run(self) -> None:
        """Show how the sessions stand, again and again."""
        while True:
            await asyncio.sleep(self._terminal.period)
            self.redraw()

    def redraw(self) -> None:
        """Show how the sessions stand: of many clients the oldest rows are brought up to date."""
        scored = [each for each in self._sessions.values() if not each.passive]
        share = math.ceil(len(scored) * self._terminal.period / _OLDEST)
        new = [each.number for each in scored if each.number not in self._rows]
        old = list(islice(self._rows, max(share, _AT_ONCE)))
        for number in (*old, *new):
            session = self._sessions[number]
            self._rows.pop(number, None)
            self._rows[number] = view.client_name(session), session.snapshot()
        rows = [self._rows[each.number] for each in scored]
        # The words are made in the thread of the terminal.
        self._terminal.show(starmap(view.server_cells, rows), self._caption())
