"""The playout delay: how long a receiver is to keep a frame back before it shows it.

A header extension of RTP, http://www.webrtc.org/experiments/rtp-hdrext/playout-delay, which what is
made of libwebrtc takes. Without it that smooths the picture: it keeps each frame back for as long
as others were late.
"""

from aiortc.rtp import (
    HeaderExtensions,
    HeaderExtensionsMap,
    pack_header_extensions,
    unpack_header_extensions,
)

NONE = bytes(3)
"""The least and the most that is wanted, in 10 ms, 12 bits each."""


class AtOnce(HeaderExtensionsMap):
    """aiortc's header extensions, and in every packet the wish that its frame be shown at once.

    `extension` is the number that was agreed for it, from 1 to 14.
    """

    def __init__(self, extension: int) -> None:
        super().__init__()
        self._extension = extension

    def set(self, values: HeaderExtensions) -> tuple[int, bytes]:
        """A packet's header extensions as RFC 8285 has them: their profile, and their bytes."""
        known = unpack_header_extensions(*super().set(values))
        return pack_header_extensions([*known, (self._extension, NONE)])
