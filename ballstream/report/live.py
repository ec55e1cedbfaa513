"""The live view of a server: a row for each client that is scored, and a note of each event."""

import asyncio
from itertools import starmap

from ..errors import BallstreamError
from . import view
from .observers import Observer, Watched
from .records import SessionReport
from .terminal import Terminal


class LiveView(Observer):
    """Shows on a terminal what it is told of."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._sessions: dict[int, Watched] = {}

    def came(self, session: Watched) -> None:
        self._sessions[session.number] = session

    def refused(self, error: BallstreamError) -> None:
        self._terminal.note(f"refused a client: {error}")

    def ended(self, session: Watched, report: SessionReport) -> None:
        del self._sessions[session.number]
        self._terminal.note(view.end_line(report))

    async def run(self) -> None:
        """Show how the sessions stand, again and again."""
        while True:
            await asyncio.sleep(self._terminal.period)
            present = [
                (view.client_name(each), each.snapshot())
                for each in self._sessions.values()
                if not each.passive
            ]
            # The words are made in the thread of the terminal.
            self._terminal.show(starmap(view.server_cells, present))
