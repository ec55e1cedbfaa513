import random
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballstream.errors import ProtocolError
from ballstream.protocol.frames import MAX_PAYLOAD, PART_SIZE, Image, ImageCodec, Joining, split

IMAGES = st.builds(
    Image,
    frame=st.integers(0, (1 << 24) - 1),
    width=st.just(640),
    height=st.just(480),
    codec=st.sampled_from(ImageCodec),
    payload=st.binary(min_size=1, max_size=3 * PART_SIZE + 5),
)


def image(frame: int, size: int = 100) -> Image:
    return Image(frame, 640, 480, ImageCodec.PNG, bytes([frame % 256]) * size)


def test_a_message_byte_by_byte() -> None:
    (message,) = split(Image(0x010203, 640, 480, ImageCodec.PNG, b"payload"))
    assert message == (
        b"BF" b"\x01" b"\x01" b"\x00\x01\x02\x03" b"\x02\x80" b"\x01\xe0" b"\x00\x00" b"\x00\x01"
        b"payload"
    )  # fmt: skip


def test_a_large_payload_becomes_parts_of_equal_size() -> None:
    messages = split(image(1, 2 * PART_SIZE + 1))
    assert [len(message) - 16 for message in messages] == [PART_SIZE, PART_SIZE, 1]
    assert [struct.unpack_from("!HH", message, 12) for message in messages] == [
        (0, 3), (1, 3), (2, 3),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [0, MAX_PAYLOAD + 1])
def test_what_cannot_be_sent_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"{size} bytes"):
        split(image(1, size))


@given(IMAGES, st.randoms(use_true_random=False))
def test_parts_in_any_order_and_more_than_once_give_the_picture_once(
    sent: Image, dice: random.Random
) -> None:
    joining = Joining()
    messages = split(sent)
    dice.shuffle(messages)
    doubled = [message for message in messages[:-1] for _ in range(2)] + messages[-1:]
    assert [joining.add(message) for message in doubled] == [None] * (len(doubled) - 1) + [sent]
    assert joining.lost == 0


def test_the_number_wraps() -> None:
    (message,) = split(image((1 << 24) + 5))
    received = Joining().add(message)
    assert received is not None
    assert received.frame == 5


def test_a_lost_part_costs_its_frame_and_no_other() -> None:
    joining = Joining()
    received = []
    for frame in range(10):
        for part, message in enumerate(split(image(frame, 3 * PART_SIZE))):
            if (frame, part) != (4, 1):
                received.append(joining.add(message))
    assert [each.frame for each in received if each] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert joining.lost == 1


def test_frames_that_never_become_whole_are_given_up() -> None:
    joining = Joining()
    for frame in range(1000):
        assert joining.add(split(image(frame, 2 * PART_SIZE))[0]) is None
        assert len(joining._incomplete) <= 4
    assert joining.lost == 996


def test_a_part_that_contradicts_the_others_is_of_another_frame() -> None:
    joining = Joining()
    first, _ = split(image(1, 2 * PART_SIZE))
    _, _, third = split(image(1, 3 * PART_SIZE))
    assert joining.add(first) is None
    assert joining.add(third) is None


def header(**changes: int | bytes) -> bytes:
    fields: dict[str, int | bytes] = {
        "magic": b"BF", "version": 1, "codec": 1, "frame": 1, "width": 640, "height": 480,
        "part": 0, "parts": 1,
    }  # fmt: skip
    return struct.pack("!2sBBIHHHH", *(fields | changes).values())


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"BF",
        "a text",
        None,
        header(),
        header(magic=b"XX") + b"x",
        header(version=2) + b"x",
        header(codec=3) + b"x",
        header(frame=1 << 24) + b"x",
        header(width=0) + b"x",
        header(width=641) + b"x",
        header(height=481) + b"x",
        header(parts=0) + b"x",
        header(part=1, parts=1) + b"x",
        header(parts=65535) + b"x" * PART_SIZE,
        header(parts=2) + b"too short for one that is not the last",
        header() + b"x" * (PART_SIZE + 1),
    ],
)
def test_what_is_no_part_of_a_frame_is_refused(message: object) -> None:
    with pytest.raises(ProtocolError):
        Joining().add(message)


@given(st.lists(st.binary(max_size=40) | st.builds(lambda tail: header() + tail, st.binary())))
def test_no_message_raises_anything_else(messages: list[bytes]) -> None:
    joining = Joining()
    for message in messages:
        with suppress(ProtocolError):
            joining.add(message)
