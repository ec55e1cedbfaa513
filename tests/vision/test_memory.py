import os
import resource
from collections.abc import Iterator

import numpy as np
import pytest

from ballstream.errors import DetectorError
from ballstream.protocol.frames import Image, ImageCodec
from ballstream.protocol.planes import Plane, i420_shape, planes_of_i420
from ballstream.vision.memory import Look, Memory, Slots, open_memory, put

SHAPE = i420_shape(160, 120)


@pytest.fixture
def memory() -> Iterator[Memory]:
    shared = open_memory()
    yield shared
    shared.close()


def i420(value: int) -> Plane:
    return np.full(SHAPE, value, np.uint8)


def test_it_is_there_from_the_beginning(memory: Memory) -> None:
    assert 512 * os.fstat(memory.descriptor).st_blocks >= len(memory.bytes)


def test_where_there_is_not_so_much_it_is_said_how_much_and_of_what() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(DetectorError) as raised:
            open_memory()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(raised.value) == "no memory for pictures, 42 MB (memfd_create): File too large"


def test_planes_and_images_come_out_as_they_were_put(memory: Memory) -> None:
    slots = Slots(memory)
    assert put(memory, 1, planes_of_i420(i420(7))) == Look(1, 160, 120)
    picture = slots.picture(1, SHAPE)
    assert (picture == 7).all()
    image = Image(9, 160, 120, ImageCodec.PNG, b"as it is")
    assert put(memory, 0, image) == Look(0, 160, 120, ImageCodec.PNG, 8, 9)
    assert slots.data(0, 8) == b"as it is"
    del picture


def test_a_slot_is_free_once_nobody_holds_anything_of_its_picture(memory: Memory) -> None:
    slots = Slots(memory)
    assert slots.free() == 0
    first = slots.picture(0, SHAPE)
    corner = planes_of_i420(first).u[:2, :2]
    del first
    assert slots.free() == 1, "a view of a view holds it"
    second = slots.picture(1, SHAPE)
    assert slots.free() == 2
    del corner
    assert slots.free() == 0
    del second


def test_where_all_are_held_pictures_are_copied(memory: Memory) -> None:
    slots = Slots(memory)
    kept = []
    for value in range(1, 8):
        slot = slots.free()
        put(memory, slot, planes_of_i420(i420(value)))
        kept.append(slots.picture(slot, SHAPE))
    assert [int(each[5, 5]) for each in kept] == [1, 2, 3, 4, 5, 6, 7]
    kept.clear()
    assert slots.free() == 0
