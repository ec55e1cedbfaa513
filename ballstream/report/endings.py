"""What is said of the end of a session."""

from ..endings import Ending, Reason
from .records import Ended

_SENTENCES = {
    Reason.GOODBYE: "the {by} said goodbye",
    Reason.CLOSED: "the {by} closed the connection",
    Reason.STOPPED: "the {by} stops",
    Reason.TIME_UP: "the time is up",
    Reason.WINDOW_CLOSED: "the window was closed",
}


def sentence(ending: Ending) -> str:
    """How a session ended, in words."""
    if ending.error is not None:
        return str(ending.error)
    return _SENTENCES[ending.reason].format(by=ending.by)


def ended(ending: Ending) -> Ended:
    """The same as a part of a report."""
    return Ended(by=ending.by, failed=ending.failed, reason=sentence(ending))
