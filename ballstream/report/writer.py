"""Text on its way out, in a thread of its own: who reads slowly, or not at all, harms nobody."""

import os
import queue
import select
import threading
from collections.abc import Callable

Make = Callable[[], str]
"""Makes a text; called in the thread, in order."""

_MOST_WAITING = 1_000
_PATIENCE = 1.0


class Writer:
    """Writes to a file descriptor what it is given to make, until `close`.

    What cannot be written is left out, and so is what comes while too much waits already. None as
    the descriptor writes nowhere.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._waiting: queue.Queue[Make | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="terminal", daemon=True)
        self._thread.start()

    def put(self, make: Make) -> bool:
        """Let a text be made and written, without waiting; False where it is left out."""
        try:
            self._waiting.put_nowait(make)
        except queue.Full:
            return False
        return True

    def flush(self) -> None:
        """Wait until all is written, at most a second."""
        written = threading.Event()

        def mark() -> str:
            written.set()
            return ""

        self.put(mark)
        written.wait(_PATIENCE)

    def close(self) -> None:
        """Write what waits, and end the thread; what nobody reads is given up after a second."""
        try:
            self._waiting.put(None, timeout=_PATIENCE)
        except queue.Full:
            return
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while (make := self._waiting.get()) is not None:
            text = make()
            if self._descriptor is not None and text:
                try:
                    write_all(self._descriptor, text.encode(errors="backslashreplace"))
                except OSError:  # nobody can be told: the place to say so is this one
                    self._descriptor = None


def write_all(descriptor: int, data: bytes) -> None:
    """Write to a descriptor, which another program may have made one that does not wait."""
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
