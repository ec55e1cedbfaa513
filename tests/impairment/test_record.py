import msgspec
import pytest

from ballstream.impairment.conditions import Impairment
from ballstream.impairment.emulation import Direction, Link
from ballstream.impairment.grammar import parse_plan
from ballstream.impairment.lateness import LatenessMs
from ballstream.impairment.record import LinkRecord, Links, active, record_of, summary_lines

NOTHING_HELD = {"n": 0, "mean": None, "p50": None, "p95": None, "p99": None, "max": None}


def used(impairment: Impairment) -> dict[Direction, Link[str]]:
    links = {
        Direction.DOWN: Link[str](impairment.down, impairment.seed, Direction.DOWN),
        Direction.UP: Link[str](impairment.up, impairment.seed, Direction.UP),
    }
    for place in range(4):
        links[Direction.DOWN].offer("x", 972, 1.0 + place / 1000)
        links[Direction.DOWN].release(1.0 + place / 1000)
    while links[Direction.DOWN].release(1.0505) is not None:
        pass
    return links


def test_a_record_has_the_shape_that_is_written_down() -> None:
    impairment = Impairment(parse_plan("delay=40ms,rate=1mbit,queue=20ms"), seed=7)
    record = record_of(impairment, used(impairment))
    document = msgspec.json.decode(msgspec.json.encode(record))
    lateness = document["down"].pop("lateness_ms")
    assert document == {
        "spec": "down: delay=40ms,rate=1mbit,queue=20ms | up: delay=0ms",
        "seed": 7,
        "down": {
            "packets": 4,
            "bytes": 3888,
            "lost": 0,
            "queue_dropped": 1,
            "reordered": 0,
            "longest_queue_ms": pytest.approx(14),
        },
        "up": {
            "packets": 0,
            "bytes": 0,
            "lost": 0,
            "queue_dropped": 0,
            "reordered": 0,
            "longest_queue_ms": 0.0,
            "lateness_ms": NOTHING_HELD,
        },
    }
    assert (lateness["n"], round(lateness["max"], 6)) == (1, 2.5)


def test_a_run_ends_with_a_line_for_each_direction() -> None:
    impairment = Impairment(parse_plan("delay=40ms"), parse_plan("delay=40ms"), 3)
    record = record_of(impairment, used(impairment))
    down, up = (msgspec.structs.asdict(each) for each in (record.down, record.up))
    down |= {"lost": 1, "lateness_ms": LatenessMs(3, 0.2, 0.12, 0.3, 0.41, 0.5)}
    record = msgspec.structs.replace(record, down=LinkRecord(**down), up=LinkRecord(**up))
    assert summary_lines(record) == [
        "emulated network: delay=40ms (seed 3)",
        "  down: 4 packets of 0.00 MB, 1 lost (25.0 %), 0 dropped by the queue, 0 overtaken, "
        "longest queue 0 ms; released late by 0.12 ms p50, 0.41 ms p99",
        "  up: 0 packets of 0.00 MB, 0 lost, 0 dropped by the queue, 0 overtaken, "
        "longest queue 0 ms; none was held",
    ]


def test_a_display_says_what_holds_now() -> None:
    plan = parse_plan("delay=40ms; down@3s")
    links: Links = used(Impairment(plan, plan))
    assert active(links, 0.0) == "emulated network, each way: delay=40ms"
    links = used(Impairment(plan))
    links[Direction.DOWN].start(1.0)
    assert active(links, 2.0) == "emulated network: down delay=40ms, up clean"
    assert active(links, 4.0) == "emulated network: down delay=40ms,down, up clean"
