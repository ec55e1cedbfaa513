"""One direction of an emulated network: datagrams in, datagrams and their instants out.

The effects follow each other as in libwebrtc's simulated network: a finite queue, the capacity of
the link, loss, delay with jitter, reordering. So a packet that is lost on the way has used
capacity, and one that finds the queue full has not.
"""

import heapq
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Generic, NamedTuple, TypeVar

from .conditions import Conditions, Plan
from .lateness import Lateness

HEADERS = 28
"""Bytes of IPv4 and UDP headers, which a link carries with each datagram."""

MOST_HELD = 32 << 20
"""Bytes of memory that datagrams on the way may take in each direction; more are dropped."""

_COST = 400
"""Bytes of memory that a datagram on the way takes beside its own, about."""

T = TypeVar("T")


class Direction(StrEnum):
    """Which way datagrams go: `down` to the client, `up` to the server."""

    DOWN = "down"
    UP = "up"


@dataclass(slots=True)
class Statistics:
    """What became of the datagrams of one direction.

    Of `packets` with `bytes` that were offered, `lost` on the way (or because the network was
    down) and `queue_dropped` because the queue was full never arrive; `reordered` arrived after
    one that was sent later (RFC 4737, section 3). `longest_queue` is the longest that one waited
    for the link, in seconds; `lateness` tells of those that were held.
    """

    packets: int = 0
    bytes: int = 0
    lost: int = 0
    queue_dropped: int = 0
    reordered: int = 0
    longest_queue: float = 0.0
    lateness: Lateness = field(default_factory=Lateness)


class _Held(NamedTuple, Generic[T]):
    """A datagram on its way, in the order in which they are released."""

    release: float
    number: int
    offered: float
    size: int
    datagram: T


class Link(Generic[T]):
    """One direction; instants are in seconds of any clock that does not go backwards.

    Each effect has random numbers of its own and takes one for every datagram, whether it needs it
    or not: the fate that one effect has for the n-th datagram does not depend on the others, nor on
    when the datagram comes. More than eight fields: they are the state of five effects in a row.
    """

    def __init__(self, plan: Plan, seed: int, direction: Direction) -> None:
        self.plan = plan
        self.started_at: float | None = None
        """The instant that is the plan's time 0; until it is known, the plan stays at its start."""

        self.statistics = Statistics()
        self._loss, self._jitter, self._reorder = (
            Random(f"{seed} {direction} {effect}") for effect in ("loss", "jitter", "reorder")
        )
        self._lost: bool | None = None
        self._free_at = float("-inf")
        self._last_release = float("-inf")
        self._latest_released = 0
        self._held: list[_Held[T]] = []
        self._memory = 0

    def start(self, at: float) -> None:
        """Let the plan's time begin; what begins once does not begin again."""
        if self.started_at is None:
            self.started_at = at

    def conditions(self, at: float) -> Conditions:
        """The conditions that hold at an instant."""
        return self.plan.at(0.0 if self.started_at is None else at - self.started_at)

    def offer(self, datagram: T, size: int, at: float) -> float | None:
        """Take a datagram of some bytes; the instant of its release, or None if it is dropped."""
        conditions = self.conditions(at)
        lost, jitter, overtakes = self._draw(conditions)
        statistics = self.statistics
        statistics.packets += 1
        statistics.bytes += size
        if conditions.down:
            statistics.lost += 1
            return None
        leaves = self._through_bottleneck(conditions, size, at)
        if leaves is None or self._memory + size + _COST > MOST_HELD:
            statistics.queue_dropped += 1
            return None
        if lost:
            statistics.lost += 1
            return None
        if overtakes:
            release = leaves
        else:
            release = max(leaves + max(0.0, conditions.delay + jitter), self._last_release)
            self._last_release = release
        self._memory += size + _COST
        held = _Held(release, statistics.packets, at, size, datagram)
        heapq.heappush(self._held, held)
        return release

    def _draw(self, conditions: Conditions) -> tuple[bool, float, bool]:
        """Whether the next datagram is lost, its jitter in seconds, and whether it overtakes."""
        self._lost = self._loss.random() < conditions.loss_probability(self._lost)
        jitter = self._jitter.gauss(0.0, 1.0) * conditions.jitter
        return self._lost, jitter, self._reorder.random() < conditions.reorder

    def _through_bottleneck(self, conditions: Conditions, size: int, at: float) -> float | None:
        """When a datagram has left the link, or None where the queue before it is full."""
        waits = max(0.0, self._free_at - at)
        if waits > conditions.queue:
            return None
        self.statistics.longest_queue = max(self.statistics.longest_queue, waits)
        if conditions.rate is None:
            return at + waits
        self._free_at = at + waits + 8 * (size + HEADERS) / conditions.rate
        return self._free_at

    @property
    def held(self) -> int:
        """How many datagrams are on their way."""
        return len(self._held)

    @property
    def next_release(self) -> float | None:
        """The instant at which the next one arrives; None where none is on its way."""
        return self._held[0].release if self._held else None

    @property
    def last_release(self) -> float | None:
        """The instant at which the last of those on their way arrives."""
        return max((each.release for each in self._held), default=None)

    def release(self, at: float) -> T | None:
        """The next datagram that has arrived by an instant, or None."""
        if not self._held or self._held[0].release > at:
            return None
        arrived = heapq.heappop(self._held)
        self._memory -= arrived.size + _COST
        if arrived.number < self._latest_released:
            self.statistics.reordered += 1
        self._latest_released = max(self._latest_released, arrived.number)
        if arrived.release > arrived.offered:
            self.statistics.lateness.add(at - arrived.release)
        return arrived.datagram
