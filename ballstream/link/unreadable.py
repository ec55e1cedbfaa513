"""What aiortc cannot read on a datachannel, kept from closing the connection that it came on.

aiortc takes the packets of datachannels apart inside the task of their DTLS transport, and raises
there: at a text message that is not UTF-8, at a channel whose label it cannot decode, at a channel
that is opened twice. That ends the transport, with all that goes over it. Nothing public stands
between, so this is the third file that uses a private name of aiortc 1.16:

* `RTCSctpTransport._handle_data`: replaced; called with each packet, already decrypted.

Should it be gone, `survive` says so once, and such a message ends the session, as in any program of
aiortc's.
"""

import logging
from collections.abc import Callable
from functools import cache

from aiortc import RTCSctpTransport

logger = logging.getLogger(__name__)


def survive(sctp: RTCSctpTransport, on_unreadable: Callable[[], None]) -> None:
    """Go on after a packet that aiortc cannot read; `on_unreadable` is told, and must not raise."""
    take = getattr(sctp, "_handle_data", None)
    if take is None:
        _warn()
        return

    async def take_or_leave(data: bytes) -> None:
        try:
            await take(data)
        except ConnectionError:  # of the transport underneath, which is to hear of it
            raise
        except Exception:
            logger.debug("a packet of a datachannel cannot be read", exc_info=True)
            on_unreadable()

    sctp._handle_data = take_or_leave  # type: ignore[method-assign]


@cache
def _warn() -> None:
    logger.warning("this aiortc closes a connection at a message that it cannot read")
