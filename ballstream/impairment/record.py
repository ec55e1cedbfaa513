"""What is told of an emulated network: what it was, and what became of the datagrams."""

from collections.abc import Mapping
from typing import Any

import msgspec

from .conditions import Conditions, Impairment
from .emulation import Direction, Link, Statistics
from .lateness import LatenessMs

Links = Mapping[Direction, Link[Any]]


class LinkRecord(msgspec.Struct, frozen=True):
    """What became of the datagrams of one direction; `reordered` ones arrived after a later one."""

    packets: int
    bytes: int
    lost: int
    queue_dropped: int
    reordered: int
    longest_queue_ms: float
    lateness_ms: LatenessMs


class ImpairmentRecord(msgspec.Struct, frozen=True):
    """The record of a run, as `"impairment"` of its JSON."""

    spec: str
    seed: int
    down: LinkRecord
    up: LinkRecord


def record_of(impairment: Impairment, links: Links) -> ImpairmentRecord:
    """The record up to now."""
    down, up = (
        _link_record(links[direction].statistics) for direction in (Direction.DOWN, Direction.UP)
    )
    return ImpairmentRecord(str(impairment), impairment.seed, down, up)


def _link_record(statistics: Statistics) -> LinkRecord:
    return LinkRecord(
        packets=statistics.packets,
        bytes=statistics.bytes,
        lost=statistics.lost,
        queue_dropped=statistics.queue_dropped,
        reordered=statistics.reordered,
        longest_queue_ms=1000 * statistics.longest_queue,
        lateness_ms=statistics.lateness.statistics(),
    )


def active(links: Links, at: float) -> str:
    """The conditions at an instant, in one line for a display."""
    down, up = (links[each].conditions(at) for each in (Direction.DOWN, Direction.UP))
    if down == up:
        return f"emulated network, each way: {_words(down)}"
    return f"emulated network: down {_words(down)}, up {_words(up)}"


def _words(conditions: Conditions) -> str:
    return "clean" if conditions == Conditions() else str(conditions)


def summary_lines(record: ImpairmentRecord) -> list[str]:
    """What is said at the end of a run: the network, and a line for each direction."""
    return [
        f"emulated network: {record.spec} (seed {record.seed})",
        f"  down: {_summary(record.down)}",
        f"  up: {_summary(record.up)}",
    ]


def _summary(link: LinkRecord) -> str:
    share = f" ({100 * link.lost / link.packets:.1f} %)" if link.packets else ""
    late = link.lateness_ms
    lateness = (
        "none was held"
        if late.p50 is None or late.p99 is None
        else f"released late by {late.p50:.2f} ms p50, {late.p99:.2f} ms p99"
    )
    return (
        f"{link.packets} packets of {link.bytes / 1e6:.2f} MB, {link.lost} lost{share}, "
        f"{link.queue_dropped} dropped by the queue, {link.reordered} overtaken, "
        f"longest queue {link.longest_queue_ms:.0f} ms; {lateness}"
    )
