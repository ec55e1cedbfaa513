"""Whether aiortc still does what is relied on, asked of an object that no peer ever sees."""

from collections.abc import Coroutine
from typing import Any


class NoTransport:
    """As much of a transport as a sender or receiver needs that is never started."""

    state = "new"


def run_at_once(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that is not to wait for anything; raises RuntimeError where it does."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("it waits")
