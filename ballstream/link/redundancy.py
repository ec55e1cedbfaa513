"""How often each packet of video goes out again before anybody asks, by what the receiver reports.

Pure: time comes in as an argument, in seconds of any one clock.
"""

from ..config import Redundancy
from ..rate import RateLimit

INTERVAL = 0.004
"""Seconds from a frame to its copy, and from that to the next."""

MOST_PACKETS = 8
"""Packets of the largest frame that is repeated: more would crowd the link."""

_PER_SECOND, _AT_ONCE = 240, 32
"""Packets that are repeated: a limit of their own, beside that of what is asked for."""

_AT_FIRST, _AFTER_LOSS = 150, 900
"""Packets that have to arrive one after the other before the path counts as one without loss."""

_BLIND = 10
"""So many times more where the receiver cannot tell a packet from its copy."""

_TWICE_FROM = 0.035
_SHARE_OVER = 300
"""The share of losses from which on two copies go out, and packets that it is judged by."""

_FULL_DELAY = 0.15
_FULL_SHARE, _FULL_REPORTS = 0.25, 3
_PAUSE = 10.0
"""A link counts as full where it holds packets up for so long, or loses so many by so many reports
in a row; then no packet is repeated for a while, as the copies may be what fills it."""


class Repeats:
    """Says how many copies of a frame's packets to send.

    `auto` begins with one, as nothing is known of the path, and ends when the receiver's reports
    (RFC 3550, section 6.4.2) have spoken of enough packets and of no loss; the next loss that they
    speak of, or that a NACK does, begins it again. What they count is what was lost *before* it was
    repaired, because copies are RTX packets (RFC 4588), a stream of their own. Of a receiver
    without RTX they count what was lost with its copy; so there it takes much longer to end.

    It has eleven fields: what the last report said, and what is made of all of them.
    """

    def __init__(self, wanted: Redundancy, *, told_apart: bool = True) -> None:
        self._wanted = wanted
        self._patience = 1 if told_apart else _BLIND
        self._to_go = _AT_FIRST
        self._highest: int | None = None
        self._lost = 0
        self._reported = 0
        self._share = 0.0
        self._least_delay = float("inf")
        self._crowded = 0
        self._full_until = float("-inf")
        self._limit = RateLimit(_PER_SECOND, _AT_ONCE)

    def active(self, now: float) -> bool:
        """Whether frames of few packets are repeated at present."""
        if self._wanted is Redundancy.AUTO:
            return self._to_go > 0 and now >= self._full_until
        return self._wanted is Redundancy.ON

    def copies(self, packets: int, now: float) -> int:
        """How often to send a frame of so many packets again; asking counts as doing."""
        if packets > MOST_PACKETS or not self.active(now):
            return 0
        wanted = 2 if self._share >= _TWICE_FROM else 1
        for copy in range(wanted):
            if not self._limit.allows(now, packets):
                return copy
        return wanted

    def asked(self, now: float) -> None:
        """A NACK came: something did not arrive, or not in its order."""
        if now >= self._full_until:
            self._to_go = _AFTER_LOSS * self._patience

    def report(self, highest: int, lost: int, delay: float | None, now: float) -> None:
        """A receiver report came.

        `highest` is the last sequence number that arrived (the lower 16 bits count), `lost` the
        packets lost so far, `delay` the round trip in seconds where the report tells it, less what
        it may err by.
        """
        if self._highest is None:
            self._highest, self._lost = highest, lost
            new, missing = 0, lost
        else:
            new = (highest - self._highest) & 0xFFFF
            missing = lost - self._lost
        if new >= 0x8000:
            return  # an older report, which was overtaken
        self._highest, self._lost = highest, lost
        self._count(new, max(missing, 0))
        if now >= self._full_until:
            if missing > 0:
                self._to_go = _AFTER_LOSS * self._patience
            else:
                self._to_go = max(self._to_go - new, 0)
            self._notice_full(missing > _FULL_SHARE * new, delay, now)

    def _count(self, new: int, missing: int) -> None:
        self._reported += new
        if self._reported:
            weight = min(new / min(self._reported, _SHARE_OVER), 1.0)
            self._share += weight * (missing / max(new, 1) - self._share)

    def _notice_full(self, crowded: bool, delay: float | None, now: float) -> None:
        self._crowded = self._crowded + 1 if crowded else 0
        if delay is not None:
            self._least_delay = min(self._least_delay, delay)
        held_up = delay is not None and delay > self._least_delay + _FULL_DELAY
        if held_up or self._crowded >= _FULL_REPORTS:
            self._full_until = now + _PAUSE
            self._to_go = self._crowded = 0
            self._least_delay = float("inf")
