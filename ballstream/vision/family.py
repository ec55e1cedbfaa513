"""The detector's process as such, with those that the detector starts: its start and its end.

It is the first of a process group of its own, so that signals for the parent's group do not reach
it, and so that the whole group can be ended.
"""

import asyncio
import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection

_PROGRAM = """
import json, sys
sys.path[:], *arguments = json.loads(sys.argv[1])
from ballstream.vision.child import main
main(*arguments)
"""

_POLL = 0.005
_GRACE = 1.0
_OUR_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Family:
    """The parent's side: a process with its descendants, from its start until `kill`.

    It finds what its parent would import, but nothing in the working folder: multiprocessing's own
    start would run a `socket.py` there. What it prints goes to standard error.
    """

    def __init__(self, pipe: int, memory: int, detector: str, display: bool) -> None:
        path = [each for each in sys.path if each]
        beside = subprocess.DEVNULL if sys.__stderr__ is None else 2
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            [
                sys.executable,
                "-P",
                "-c",
                _PROGRAM,
                json.dumps([path, pipe, memory, detector, display]),
            ],
            stdin=subprocess.DEVNULL,
            stdout=beside,
            stderr=beside,
            pass_fds=(pipe, memory),
            process_group=0,
        )

    async def ended(self, patience: float) -> bool:
        """Wait for the end of the first process, for at most so many seconds."""
        until = time.monotonic() + patience
        while self._process.poll() is None:
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(_POLL)
        return True

    @property
    def words(self) -> str:
        """How the process came to its end."""
        status = self._process.poll()
        if status is None:
            return "closed its pipe"
        if status < 0:
            names = {each.value: each.name for each in signal.Signals}
            return f"ended with signal {-status} ({names.get(-status, 'of no name')})"
        return f"ended with exit status {status}"

    def kill(self) -> None:
        """End whatever is left of it."""
        _kill(self._process.pid)
        self._process.wait()


def outlive_signals() -> None:
    """Leave it to the parent when this process ends.

    Its own children end by them as usual, which a `Pool` counts on.
    """
    taken = [each for each in _OUR_SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]

    def as_usual() -> None:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)

    for number in taken:
        signal.signal(number, _do_nothing)  # which, unlike SIG_IGN, no other program inherits
    os.register_at_fork(after_in_child=as_usual)
    # A group in the background may be stopped for what it prints.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)


def _do_nothing(number: int, frame: object) -> None:
    pass


def end_with_parent(pipe: Connection) -> None:
    """Leave with the parent, and take the children along, even where a detector hangs.

    `pipe` is this end of the pipe to the parent; children that are forked do not keep it.
    """
    parent, me = os.getppid(), os.getpid()
    os.register_at_fork(after_in_child=pipe.close)

    def end_orphans() -> None:
        if os.getpid() == me and os.getppid() != parent:
            _kill(0)

    def watch() -> None:
        poll = select.poll()
        poll.register(pipe.fileno(), 0)
        poll.poll()
        time.sleep(_GRACE)
        _kill(0)

    atexit.register(end_orphans)
    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        return
