"""That the network does what its conditions say, with bounds where chance has a part in it.

Bounds are five standard errors wide, and the seeds are fixed: nothing here fails by chance.
"""

from itertools import groupby, pairwise
from math import sqrt

import pytest

from ballstream.impairment.emulation import HEADERS, MOST_HELD, Direction, Link
from ballstream.impairment.grammar import parse_plan

SIZE = 1000 - HEADERS
"""A datagram that takes a megabit link 8 ms."""

END = 1e9
"""An instant after all others."""

Fates = list[float | None]


def link(spec: str, seed: int = 1, direction: Direction = Direction.DOWN) -> Link[int]:
    return Link(parse_plan(spec), seed, direction)


def fates(network: Link[int], number: int, every: float = 0.01, size: int = SIZE) -> Fates:
    """Offer datagrams at a steady rate; for each how long it takes, None where it is dropped."""
    found: Fates = []
    for place in range(number):
        at = place * every
        release = network.offer(place, size, at)
        found.append(None if release is None else release - at)
    return found


def arrivals(network: Link[int], at: float = END) -> list[int]:
    """What has arrived by an instant, in order."""
    return list(iter(lambda: network.release(at), None))


def losses(network: Link[int], number: int, every: float = 0.01) -> list[bool]:
    """Offer datagrams at a steady rate and take what arrives; for each whether it is dropped."""
    found = []
    for place in range(number):
        found.append(network.offer(place, SIZE, place * every) is None)
        arrivals(network, place * every)
    return found


def test_a_clean_network_lets_all_pass_at_once() -> None:
    network = link("delay=0ms")
    assert network.offer(7, SIZE, 3.0) == 3.0
    assert network.release(3.0) == 7
    assert network.release(3.0) is None
    assert network.statistics.lateness.statistics().n == 0


def test_delay_is_for_each_and_lateness_is_counted() -> None:
    network = link("delay=40ms")
    assert network.offer(1, SIZE, 1.0) == pytest.approx(1.04)
    assert network.offer(2, SIZE, 1.01) == pytest.approx(1.05)
    assert network.next_release == pytest.approx(1.04)
    assert network.last_release == pytest.approx(1.05)
    assert arrivals(network, 1.0399) == []
    assert arrivals(network, 1.0405) == [1]
    assert arrivals(network, 1.0501) == [2]
    assert network.next_release is None
    assert network.last_release is None
    late = network.statistics.lateness.statistics()
    assert late.n == 2
    assert late.max == pytest.approx(0.5)


@pytest.mark.parametrize("share", [0.005, 0.02, 0.5, 0.9])
def test_independent_losses_have_their_rate(share: float) -> None:
    number = 40_000
    network = link(f"loss={100 * share:g}%")
    gone = losses(network, number)
    assert abs(sum(gone) / number - share) < 5 * sqrt(share * (1 - share) / number)
    assert network.statistics.lost == sum(gone)
    after_loss = [after for before, after in pairwise(gone) if before]
    assert abs(sum(after_loss) / len(after_loss) - share) < 5 * sqrt(
        share * (1 - share) / len(after_loss)
    )


@pytest.mark.parametrize(("share", "burst"), [(0.02, 5), (0.1, 2), (0.3, 20), (0.5, 1), (0.9, 9)])
def test_losses_in_bursts_have_their_rate_and_length(share: float, burst: float) -> None:
    number = 200_000
    gone = losses(link(f"loss={100 * share:g}%,burst={burst}"), number)
    runs = [len(list(run)) for is_lost, run in groupby(gone) if is_lost]
    # Lengths are geometric: their variance is L (L - 1).
    assert abs(sum(runs) / len(runs) - burst) <= 5 * sqrt(burst * (burst - 1) / len(runs)) + 1e-3
    # Losses of a chain with correlation r weigh like (1 - r) / (1 + r) as many independent ones.
    correlation = max(0.0, 1 - 1 / burst - share / (1 - share) / burst)
    independent = number * (1 - correlation) / (1 + correlation)
    assert abs(sum(gone) / number - share) < 5 * sqrt(share * (1 - share) / independent)


def test_everything_or_nothing() -> None:
    assert all(losses(link("loss=100%"), 1000))
    assert not any(losses(link("loss=0%"), 1000))


def test_jitter_is_normal_around_the_delay() -> None:
    number = 20_000
    # Far enough apart that none has to wait for the one before.
    taken = [each or 0.0 for each in fates(link("delay=100ms,jitter=10ms"), number, every=1.0)]
    mean = sum(taken) / number
    deviation = sqrt(sum((each - mean) ** 2 for each in taken) / number)
    assert abs(mean - 0.1) < 5 * 0.01 / sqrt(number)
    assert abs(deviation - 0.01) < 5 * 0.01 / sqrt(2 * number)
    within = sum(abs(each - 0.1) < 0.01 for each in taken) / number
    assert abs(within - 0.6827) < 5 * sqrt(0.6827 * 0.3173 / number)


def test_nothing_arrives_before_it_was_sent() -> None:
    number = 20_000
    taken = [each or 0.0 for each in fates(link("delay=10ms,jitter=20ms"), number, every=1.0)]
    assert min(taken) == 0
    at_once = sum(each == 0 for each in taken) / number  # the normal distribution below -1/2
    assert abs(at_once - 0.3085) < 5 * sqrt(0.3085 * 0.6915 / number)


def test_order_is_kept_in_spite_of_jitter() -> None:
    network = link("delay=50ms,jitter=20ms")
    fates(network, 5000, every=0.001)
    assert arrivals(network) == list(range(5000))
    assert network.statistics.reordered == 0


def test_order_is_kept_when_the_delay_falls() -> None:
    network = link("delay=100ms; delay=10ms@1s")
    network.start(0.0)
    fates(network, 200)
    assert arrivals(network) == list(range(200))


def test_who_is_chosen_overtakes_those_under_way() -> None:
    number = 20_000
    network = link("delay=40ms,reorder=1%")
    taken = fates(network, number)
    chosen = [place for place, each in enumerate(taken) if each is not None and each < 0.04 - 1e-9]
    assert abs(len(chosen) / number - 0.01) < 5 * sqrt(0.01 * 0.99 / number)
    assert {taken[place] for place in chosen} == {0.0}
    order = arrivals(network)
    assert sorted(order) == list(range(number))
    latest, overtaken = -1, 0
    for each in order:
        overtaken += each < latest
        latest = max(latest, each)
    assert network.statistics.reordered == overtaken
    # At one datagram every 10 ms, four are under way: the one of 40 ms ago has just arrived.
    assert 3 * len(chosen) < overtaken <= 4 * len(chosen)


def test_a_link_takes_its_time_for_each() -> None:
    network = link("rate=1mbit")
    assert [network.offer(place, SIZE, 0.0) for place in range(3)] == pytest.approx(
        [0.008, 0.016, 0.024]
    )
    assert network.offer(3, SIZE, 0.1) == pytest.approx(0.108)
    assert network.statistics.longest_queue == pytest.approx(0.016)


def test_a_link_carries_its_capacity_and_no_more() -> None:
    network = link("rate=1mbit,queue=100ms")
    taken = fates(network, 10_000, every=0.004)  # twice the capacity
    passed = [each for each in taken if each is not None]
    assert len(passed) == pytest.approx(5000, abs=15)  # 40 s of 8 ms each, and what is queued
    assert network.statistics.queue_dropped == 10_000 - len(passed)
    assert network.statistics.lost == 0
    assert max(passed) <= 0.1 + 0.008 + 1e-9
    assert 0.1 - 0.008 < network.statistics.longest_queue <= 0.1


def test_a_datagram_that_is_lost_has_used_capacity_and_one_that_is_dropped_has_not() -> None:
    network = link("rate=1mbit,queue=8ms,loss=100%")
    for place in range(5):
        assert network.offer(place, SIZE, 0.0) is None
    assert (network.statistics.lost, network.statistics.queue_dropped) == (2, 3)
    network.plan = parse_plan("rate=1mbit,queue=300ms")
    assert network.offer(5, SIZE, 0.0) == pytest.approx(3 * 0.008)


def test_datagrams_that_exceed_the_queue_alone_still_pass() -> None:
    network = link("rate=1kbit,queue=1ms")
    assert network.offer(0, SIZE, 0.0) == pytest.approx(8.0)
    assert network.offer(1, SIZE, 1.0) is None


def test_what_is_down_passes_nothing_and_what_is_under_way_arrives() -> None:
    network = link("delay=100ms; down@1s; up@2s")
    network.start(5.0)
    taken = {at: network.offer(0, SIZE, at) for at in (5.99, 6.0, 6.99, 7.0)}
    assert taken == {5.99: pytest.approx(6.09), 6.0: None, 6.99: None, 7.0: pytest.approx(7.1)}
    assert network.statistics.lost == 2


def test_a_plan_stays_at_its_start_until_it_is_started_once() -> None:
    network = link("delay=10ms; delay=20ms@5s")
    assert str(network.conditions(1000.0)) == "delay=10ms"
    network.start(1000.0)
    network.start(1003.0)
    assert network.started_at == 1000.0
    assert str(network.conditions(1004.9)) == "delay=10ms"
    assert str(network.conditions(1005.0)) == "delay=20ms"


EVERYTHING = "delay=40ms,jitter=5ms,loss=5%,burst=3,reorder=2%,rate=1mbit,queue=50ms"


def test_one_seed_is_one_fate_for_every_datagram() -> None:
    assert fates(link(EVERYTHING), 5000) == fates(link(EVERYTHING), 5000)
    assert fates(link(EVERYTHING), 5000) != fates(link(EVERYTHING, seed=2), 5000)
    up = link(EVERYTHING, direction=Direction.UP)
    assert fates(link(EVERYTHING), 5000) != fates(up, 5000)


def test_the_fate_of_a_run_is_known() -> None:
    """What a seed means must not change from version to version."""
    found = losses(link("loss=20%", seed=0), 20)
    assert [place for place, is_lost in enumerate(found) if is_lost] == [1, 2, 4, 6]


@pytest.mark.parametrize("more", ["delay=40ms,jitter=5ms", "delay=9ms,reorder=9%", "rate=1gbit"])
def test_another_effect_loses_the_same_datagrams(more: str) -> None:
    assert losses(link("loss=5%"), 3000) == losses(link(f"loss=5%,{more}"), 3000)


def test_a_full_queue_does_not_shift_who_is_lost() -> None:
    plain = losses(link("loss=5%"), 3000)
    network = link("loss=5%,rate=500kbit,queue=20ms")
    narrow = losses(network, 3000)
    assert network.statistics.queue_dropped > 1000
    assert all(on_narrow for on_plain, on_narrow in zip(plain, narrow, strict=True) if on_plain)


def test_losses_do_not_change_who_is_delayed_by_how_much() -> None:
    taken = fates(link("delay=40ms,jitter=5ms"), 3000, every=1.0)
    lossy = fates(link("delay=40ms,jitter=5ms,loss=20%"), 3000, every=1.0)
    assert [(a, b) for a, b in zip(taken, lossy, strict=True) if b is not None and a != b] == []


def test_when_a_datagram_comes_does_not_change_whether_it_is_lost() -> None:
    assert losses(link("loss=5%,burst=3"), 3000, every=0.001) == losses(
        link("loss=5%,burst=3"), 3000, every=0.7
    )


@pytest.mark.parametrize("spec", [EVERYTHING, "wifi-congested", "satellite; down@5s; up@6s"])
def test_every_byte_is_accounted_for(spec: str) -> None:
    network: Link[bytes] = Link(parse_plan(spec), 3, Direction.UP)
    network.start(0.0)
    sent = dropped = 0
    sizes = [1 + 37 * place % 1200 for place in range(5000)]
    arrived: list[bytes] = []
    for place, size in enumerate(sizes):
        at = place * 0.002
        sent += size
        if network.offer(bytes(size), size, at) is None:
            dropped += size
        while (datagram := network.release(at)) is not None:
            arrived.append(datagram)
    held = network.held
    arrived += iter(lambda: network.release(END), None)
    statistics = network.statistics
    assert statistics.bytes == sent == dropped + sum(map(len, arrived))
    assert statistics.packets == len(sizes)
    assert len(arrived) == len(sizes) - statistics.lost - statistics.queue_dropped
    assert 0 < held < len(sizes)
    assert network.held == 0


@pytest.mark.parametrize(
    ("spec", "size"),
    [("delay=10s", 10), ("delay=10s", 60_000), ("rate=1kbit,queue=10s", SIZE), ("loss=90%", SIZE)],
)
def test_memory_is_bounded_on_the_worst_of_links(spec: str, size: int) -> None:
    network = link(spec)
    most = 0
    for place in range(150_000):
        network.offer(place, size, place * 1e-5)
        most = max(most, network.held)
        arrivals(network, place * 1e-5)
    assert most * size <= MOST_HELD
    assert most < 100_000
    statistics = network.statistics
    assert statistics.packets == 150_000
    assert statistics.lost + statistics.queue_dropped > 50_000


def test_what_has_left_makes_room() -> None:
    network = link("delay=10s")
    size = 1 << 20
    for at in (0.0, 10.0):
        assert sum(network.offer(place, size, at) is not None for place in range(40)) == 31
        assert len(arrivals(network, at + 10)) == 31
