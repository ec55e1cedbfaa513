"""Every error that ballstream raises on purpose.

BallstreamError              a line for the user: what is wrong, what to do; exit status 1
├── UsageError               the flags cannot be meant like this; exit status 2
├── SignalingError           the other end cannot be reached, or does not speak the protocol
│   └── Unavailable          this server takes nobody at present; later it may
├── NegotiationError         the descriptions of the two ends cannot be used
│   └── Unacceptable         they can be read, but do not go together
├── NoRoute                  this end has no address at which the other could reach it
├── PeerLost                 the other end is gone without a word
├── PeerMisbehaves           the other end does what no sound one would; its session is over
├── DetectorError            the detector cannot be loaded or started
└── InternalFailure          a fault of ballstream's own, which ended a session

ProtocolError                the *peer* sent something it should not have; counted, never shown
"""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it: 128 and the number of the signal."""


class BallstreamError(Exception):
    """Something failed that the user can mend; its text is one line that says how."""

    exit_status = 1


class UsageError(BallstreamError):
    """The flags contradict each other or the scene cannot be built from them."""

    exit_status = 2


class SignalingError(BallstreamError):
    """The other end cannot be reached, or what it says is not the signalling protocol."""


class Unavailable(SignalingError):  # noqa: N818 - as HTTP has it, 503
    """The server is full or about to end."""


class NegotiationError(BallstreamError):
    """An offer or an answer cannot be used."""


class Unacceptable(NegotiationError):  # noqa: N818 - as HTTP has it, 406
    """An offer is sound, but asks for nothing that this server has."""


class NoRoute(BallstreamError):  # noqa: N818 - a state of affairs
    """There is no candidate to offer or to answer with."""


class PeerLost(BallstreamError):  # noqa: N818 - a state of affairs, as in `ConnectionLost`
    """The other end fell silent without saying goodbye."""


class PeerMisbehaves(BallstreamError):  # noqa: N818 - not ours to mend
    """The other end floods the connection, or says nothing but rubbish."""


class DetectorError(BallstreamError):
    """The detector cannot be loaded, or its process does not start."""


class InternalFailure(BallstreamError):  # noqa: N818 - not the user's to mend
    """Code of ours raised what it never should; the session that it served is over."""

    def __init__(self, doing: str, error: BaseException) -> None:
        what = printable(f"{type(error).__name__}: {error}")
        super().__init__(f"ballstream itself failed while {doing} ({what})")


class ProtocolError(Exception):
    """A message from the peer that is not what the protocol allows."""


_MOST_CHARACTERS = 500


def printable(text: str) -> str:
    """A text as one line for a terminal: no control characters, no more than 500 of the others."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(line.split())
    return line if len(line) <= _MOST_CHARACTERS else f"{line[:_MOST_CHARACTERS]}..."


def import_problem(error: ImportError) -> str:
    """What to say where something of ours cannot be imported, and what to do if that is known."""
    text = printable(f"{type(error).__name__}: {error}")
    # Images without a screen lack these libraries, which OpenCV needs.
    if any(library in text for library in ("libGL", "libgthread", "libglib")):
        return (
            f"OpenCV cannot be loaded ({text}): on Debian and Ubuntu, "
            "sudo apt-get install libgl1 libglib2.0-0"
        )
    return f"cannot be loaded: {text}"
