"""Scripted packets, each script run against aiortc's own jitter buffer too where it differs."""

import random

import pytest
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from ballstream.link.reassembly import (
    CAPACITY,
    FIRST_ROUND_TRIP,
    EncodedFrame,
    Part,
    Reassembly,
    Request,
)

FRAME = 0.033
TICKS = 3000
NOTHING = Request((), False)


def stream(
    frames: int, parts: int = 1, first: int = 100, keyframes: tuple[int, ...] = (0,)
) -> list[Part]:
    """The packets of some frames of equal length; the data says which frame and which part."""
    return [
        Part(
            sequence=(first + frame * parts + part) % 0x10000,
            timestamp=(frame * TICKS) % 0x100000000,
            marker=part == parts - 1,
            data=f"{frame}.{part} ".encode(),
            starts_keyframe=frame in keyframes and part == 0,
        )
        for frame in range(frames)
        for part in range(parts)
    ]


def numbers(frames: list[EncodedFrame]) -> list[int]:
    """Which frames these are; each must be whole."""
    found = []
    for frame in frames:
        words = frame.data.split()
        number = int(words[0].split(b".")[0])
        assert words == [b"%d.%d" % (number, part) for part in range(len(words))]
        found.append(number)
    return found


def play(reassembly: Reassembly, parts: list[Part]) -> list[int]:
    return numbers([frame for part in parts for frame in reassembly.add(part, 0)])


def stock(parts: list[Part]) -> list[list[int]]:
    """The frames that aiortc's jitter buffer releases at each packet."""
    buffer = JitterBuffer(capacity=512, is_video=True)
    released = []
    for part in parts:
        packet = RtpPacket(sequence_number=part.sequence, timestamp=part.timestamp)
        packet._data = part.data  # type: ignore[attr-defined]
        _, frame = buffer.add(packet)
        released.append([] if frame is None else numbers([EncodedFrame(frame.data, 0)]))
    return released


def test_a_frame_is_released_at_its_last_packet_not_at_the_next_frame() -> None:
    parts = stream(4, parts=3)
    reassembly = Reassembly()
    ours = [numbers(reassembly.add(part, 0)) for part in parts]
    assert ours == [[], [], [0], [], [], [1], [], [], [2], [], [], [3]]
    assert stock(parts) == [[], [], [], [0], [], [], [1], [], [], [2], [], []]


def test_all_that_a_late_packet_completes_comes_at_once() -> None:
    parts = stream(6)
    late = [parts[0], *parts[2:], parts[1]]
    reassembly = Reassembly()
    ours = [numbers(reassembly.add(part, 0)) for part in late]
    assert ours == [[0], [], [], [], [], [1, 2, 3, 4, 5]]
    assert stock(late)[-1] == [0], "aiortc releases one, and lags behind from then on"


def test_the_time_stamp_counts_on_where_it_wraps() -> None:
    parts = [
        Part(place, timestamp, True, b"0.0", place == 0)
        for place, timestamp in enumerate((0xFFFFFFF0, 0xFFFFFFFF, 0x10, 0x20))
    ]
    reassembly = Reassembly()
    stamps = [frame.timestamp for part in parts for frame in reassembly.add(part, 0)]
    assert [stamp - stamps[0] for stamp in stamps] == [0, 0xF, 0x20, 0x30]


def test_the_sequence_number_wraps() -> None:
    parts = stream(10, parts=2, first=0xFFFA)
    reassembly = Reassembly()
    assert play(reassembly, parts) == list(range(10))
    assert reassembly.request(0) == NOTHING


def test_a_loss_across_the_wrap_is_asked_for_by_its_number_on_the_wire() -> None:
    parts = stream(10, first=0xFFFC)
    reassembly = Reassembly()
    play(reassembly, parts[:3] + parts[5:])
    assert reassembly.request(0).packets == (0xFFFF, 0x0000)


def test_packets_that_come_twice_count_once() -> None:
    parts = [part for part in stream(5, parts=2) for _ in range(3)]
    assert play(Reassembly(), parts) == [0, 1, 2, 3, 4]


@given(st.randoms(use_true_random=False))
def test_reordered_and_doubled_packets_give_the_frames_in_order(dice: random.Random) -> None:
    parts = stream(20, parts=3)
    order = sorted(range(len(parts)), key=lambda place: place + dice.uniform(0, 12))
    shuffled = [parts[0], *(parts[place] for place in order)]
    shuffled += [parts[dice.randrange(len(parts))] for _ in range(10)]
    assert play(Reassembly(), shuffled) == list(range(20))


@given(st.sets(st.integers(1, 59)), st.randoms(use_true_random=False))
def test_no_frame_is_released_whose_predecessor_is_missing(
    lost: set[int], dice: random.Random
) -> None:
    keyframes = (0, 7, 15)
    parts = stream(20, parts=3, keyframes=keyframes)
    reassembly = Reassembly()
    seen = []
    for place, part in enumerate(parts):
        if place not in lost:
            seen += numbers(reassembly.add(part, place * 0.011))
        reassembly.request(place * 0.011)
    complete = {frame for frame in range(20) if not lost & set(range(3 * frame, 3 * frame + 3))}
    assert seen == sorted(set(seen))
    for frame in seen:
        assert frame in complete
        assert frame in keyframes or frame - 1 in seen
    # And nothing that could be shown is withheld: after each whole keyframe all goes on.
    for frame in complete:
        start = max(key for key in keyframes if key <= frame)
        if all(each in complete for each in range(start, frame + 1)):
            assert frame in seen


def test_padding_is_no_frame() -> None:
    video = stream(3)
    padding = [Part(part.sequence + 50, part.timestamp, False, b"") for part in video]
    parts = []
    for place, part in enumerate((video[0], padding[0], video[1], padding[1], video[2])):
        parts.append(
            Part(100 + place, part.timestamp, part.marker, part.data, part.starts_keyframe)
        )
    assert play(Reassembly(), parts) == [0, 1, 2]


def test_without_markers_a_frame_ends_where_the_next_begins() -> None:
    parts = [
        Part(part.sequence, part.timestamp, False, part.data, part.starts_keyframe)
        for part in stream(3, parts=2)
    ]
    reassembly = Reassembly()
    ours = [numbers(reassembly.add(part, 0)) for part in parts]
    assert ours == [[], [], [0], [], [1], []]


def test_nothing_comes_before_the_first_keyframe_which_is_asked_for() -> None:
    parts = stream(6, keyframes=(4,))
    reassembly = Reassembly()
    assert play(reassembly, parts[:1]) == []
    assert reassembly.request(0) == Request((), True)
    assert play(reassembly, parts[1:4]) == []
    assert reassembly.request(0.05) == NOTHING, "once is enough for a while"
    assert reassembly.next_request_at == pytest.approx(0.1)
    assert reassembly.request(0.1) == Request((), True)
    assert play(reassembly, parts[4:]) == [4, 5]
    assert reassembly.next_request_at is None


def test_a_hole_is_asked_for_at_once_then_again_less_and_less_often() -> None:
    parts = stream(8, keyframes=(0, 7))
    reassembly = Reassembly()
    play(reassembly, parts[:2])
    assert numbers(reassembly.add(parts[3], 1.0)) == []
    assert reassembly.request(1.0) == Request((102,), False)
    assert reassembly.next_request_at == pytest.approx(1.0125)
    assert reassembly.request(1.010) == NOTHING
    assert reassembly.request(1.0125) == Request((102,), True), "and now also for a keyframe"
    assert reassembly.request(1.035) == NOTHING
    assert reassembly.request(1.0375) == Request((102,), False)
    assert reassembly.request(1.09) == Request((102,), False)
    assert reassembly.request(1.12) == Request((), True), "the first may have been lost"
    assert reassembly.breaks == 0


def stuck() -> tuple[Reassembly, list[Part]]:
    """A hole that was asked for twice, and a keyframe as well; frames 0 and 1 are out."""
    parts = stream(8, parts=2, keyframes=(0, 6))
    reassembly = Reassembly()
    play(reassembly, parts[:4] + parts[5:8])
    assert reassembly.request(0) == Request((104,), False)
    assert reassembly.request(0.02) == Request((104,), True)
    return reassembly, parts


def test_what_was_asked_for_again_ends_the_wait_where_it_comes_before_a_keyframe() -> None:
    reassembly, parts = stuck()
    assert numbers(reassembly.add(parts[4], 0.1)) == [2, 3]
    assert play(reassembly, parts[8:]) == [4, 5, 6, 7]
    assert reassembly.breaks == 0


def test_a_keyframe_ends_the_wait_where_it_comes_first() -> None:
    reassembly, parts = stuck()
    assert play(reassembly, parts[8:14]) == [6]
    assert play(reassembly, [parts[4], *parts[14:]]) == [7]
    assert reassembly.breaks == 1
    assert reassembly.request(1.0) == NOTHING


def test_a_keyframe_that_is_stuck_itself_is_asked_for_anew() -> None:
    reassembly, parts = stuck()
    play(reassembly, [*parts[8:12], parts[13]])
    assert reassembly.request(0.2) == Request((104, 112), True), "not of that which lacks its start"
    reassembly, parts = stuck()
    play(reassembly, [*parts[8:13], parts[14]])
    assert reassembly.request(0.2) == Request((104, 113), False), "one is coming"
    assert reassembly.request(0.3) == Request((104, 113), True)


def test_what_stays_missing_is_given_up_after_a_second() -> None:
    reassembly, parts = stuck()
    assert reassembly.request(0.99) == Request((104,), True)
    assert reassembly.request(1.0) == NOTHING
    assert reassembly.request(1.2) == Request((), True)
    assert reassembly.breaks == 1
    assert play(reassembly, parts[4:6]) == []


def test_after_an_outage_a_keyframe_is_asked_for_at_once_and_no_packet() -> None:
    parts = stream(100, keyframes=(0, 92))
    reassembly = Reassembly()
    play(reassembly, parts[:2])
    assert play(reassembly, parts[90:91]) == []
    assert reassembly.request(0) == Request((), True)
    assert play(reassembly, parts[91:]) == list(range(92, 100))


def test_a_copy_that_comes_unasked_is_not_taken_for_a_quick_answer() -> None:
    parts = stream(8)
    reassembly = Reassembly()
    reassembly.add(parts[0], 1.0)
    reassembly.add(parts[0], 1.005)
    reassembly.add(parts[2], 1.033)
    assert reassembly.request(1.033) == Request((101,), False)
    assert numbers(reassembly.add(parts[1], 1.035)) == [1, 2]
    assert reassembly.round_trip == FIRST_ROUND_TRIP
    reassembly.add(parts[4], 3.0)
    reassembly.request(3.0)
    reassembly.add(parts[3], 3.002)
    assert reassembly.round_trip == pytest.approx(0.002), "they come no longer"


def test_aiortc_asks_once_and_then_waits_for_hundreds_of_frames() -> None:
    parts = stream(600, keyframes=(0, 3))
    del parts[2]
    reassembly = Reassembly()
    assert play(reassembly, parts) == [0, 1, *range(3, 600)]
    released = stock(parts)
    stalled = next(place for place in range(3, len(parts)) if released[place])
    assert stalled > 500


def test_a_newer_keyframe_ends_the_wait_for_a_hole_at_once() -> None:
    parts = stream(6, parts=2, keyframes=(0, 3))
    del parts[3]
    reassembly = Reassembly()
    assert play(reassembly, parts) == [0, 3, 4, 5]
    assert reassembly.breaks == 1
    assert reassembly.request(0) == NOTHING


def test_a_hole_in_a_keyframe_that_is_coming_in_is_filled() -> None:
    parts = stream(8, parts=4, keyframes=(0, 5))
    reassembly = Reassembly()
    lost = {4, 21}
    play(reassembly, [part for place, part in enumerate(parts[:20]) if place not in lost])
    reassembly.request(0)
    assert reassembly.request(0.05).keyframe
    coming = [part for place, part in enumerate(parts) if place >= 20 and place not in lost]
    assert numbers([frame for part in coming for frame in reassembly.add(part, 0.1)]) == []
    assert reassembly.request(0.1).packets == (104, 121)
    assert numbers(reassembly.add(parts[21], 0.11)) == [5, 6, 7]


@pytest.mark.parametrize("round_trip", [0.005, 0.02, 0.05, 0.1, 0.2])
def test_the_round_trip_is_learnt_whatever_it_is(round_trip: float) -> None:
    """Every twentieth packet is lost, and comes again a round trip after it was asked for."""
    parts = stream(2000, keyframes=tuple(range(0, 2000, 5)))
    reassembly = Reassembly()
    coming = sorted((place * FRAME, place) for place in range(2000) if place % 20 != 10)
    asked: list[tuple[float, int]] = []

    def ask(now: float) -> None:
        for sequence in reassembly.request(now).packets:
            asked.append((now + round_trip, sequence - 100))

    while coming:
        upcoming = min([coming[0], *asked])
        again = reassembly.next_request_at
        if again is not None and again < upcoming[0]:
            ask(again)
            continue
        (asked if upcoming in asked else coming).remove(upcoming)
        reassembly.add(parts[upcoming[1]], upcoming[0])
        ask(upcoming[0])
    assert reassembly.round_trip == pytest.approx(round_trip, rel=0.1)


def test_a_round_trip_that_was_learnt_sets_the_pace() -> None:
    parts = stream(100)
    reassembly = Reassembly()
    play(reassembly, parts[:1])
    for place in range(2, 60, 2):
        reassembly.add(parts[place], place)
        reassembly.request(place)
        reassembly.add(parts[place - 1], place + 0.2)
    assert reassembly.round_trip == pytest.approx(0.2, abs=0.01)
    play(reassembly, parts[59:60])
    reassembly.add(parts[61], 100)
    assert reassembly.request(100).packets == (160,)
    assert reassembly.next_request_at == pytest.approx(100.25, abs=0.015)


def test_what_is_older_than_a_break_stays_out() -> None:
    parts = stream(8, keyframes=(0, 7))
    reassembly = Reassembly()
    play(reassembly, parts[:2])
    reassembly.add(parts[3], 1.0)
    assert reassembly.request(2.0).keyframe
    assert play(reassembly, [parts[0], parts[1], parts[2]]) == []
    assert reassembly.request(2.2).keyframe, "and it goes on asking"
    assert play(reassembly, parts[4:]) == [7]


def test_a_keyframe_that_has_begun_is_not_asked_for() -> None:
    reassembly = Reassembly()
    parts = stream(1, parts=3)
    reassembly.add(parts[0], 0)
    assert reassembly.request(0) == NOTHING
    assert reassembly.next_request_at is None
    assert play(reassembly, parts[1:]) == [0]


def test_it_starts_anew_where_the_sender_did() -> None:
    reassembly = Reassembly()
    play(reassembly, stream(5, first=100))
    assert play(reassembly, stream(40, first=30_000, keyframes=(0, 20)))[-1] == 39
    backwards = stream(60, first=25_000, keyframes=(0, 20))
    assert play(reassembly, backwards)[-1] == 59


def test_one_stray_packet_from_long_ago_changes_nothing() -> None:
    parts = stream(2000)
    reassembly = Reassembly()
    play(reassembly, parts[:1000])
    assert play(reassembly, [parts[10]]) == []
    assert play(reassembly, parts[1000:]) == list(range(1000, 2000))


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.booleans(), st.booleans()), max_size=3000))
def test_whatever_comes_memory_and_time_are_bounded(
    packets: list[tuple[int, bool, bool]],
) -> None:
    reassembly = Reassembly()
    for place, (sequence, marker, keyframe) in enumerate(packets):
        now = place * 0.001
        reassembly.add(Part(sequence, sequence // 5, marker, b"x", keyframe), now)
        request = reassembly.request(now)
        assert len(request.packets) <= CAPACITY
        assert len(reassembly._parts) <= CAPACITY
        assert len(reassembly._holes) <= 2 * CAPACITY
        assert len(reassembly._questions) <= CAPACITY
        assert len(reassembly._keyframe_starts) <= CAPACITY
        again = reassembly.next_request_at
        assert again is None or again > now, "the timer never spins"


def test_a_keyframe_without_end_is_not_collected_for_ever() -> None:
    reassembly = Reassembly()
    for place in range(5 * CAPACITY):
        reassembly.add(Part(place % 0x10000, 0, False, b"x", place == 0), 0)
        assert len(reassembly._parts) <= CAPACITY
    assert reassembly.request(0).keyframe


def test_a_keyframe_whose_parameters_come_second_leaves_nothing_behind() -> None:
    reassembly = Reassembly()
    parts = [
        Part(place, place // 2, place % 2 == 1, b"%d " % place, starts_keyframe=place % 2 == 1)
        for place in range(100)
    ]
    assert sum(len(reassembly.add(part, 0)) for part in parts) == 50
    assert len(reassembly._keyframe_starts) <= 1


def test_after_a_failure_of_the_decoder_it_waits_for_a_keyframe() -> None:
    parts = stream(6, keyframes=(0, 4))
    reassembly = Reassembly()
    reassembly.abandon()
    assert play(reassembly, parts[:2]) == [0, 1]
    reassembly.abandon()
    assert reassembly.request(0).keyframe
    assert play(reassembly, parts[2:]) == [4, 5]
