"""The memory that pictures pass through on their way to the detector's process.

It has a few slots. The child says with every answer which slot the next picture is to lie in: one
that its detector keeps nothing of. So a picture that a detector keeps stays as it was, and none is
copied but where all slots are kept (see `Slots`).
"""

import mmap
import os
import weakref

import msgspec
import numpy as np

from ..errors import DetectorError
from ..protocol.frames import Image
from ..protocol.planes import MOST_PIXELS, Plane, Planes, i420_shape, planes_of_i420

_SLOT_SIZE = MOST_PIXELS * 3 // 2
_PASSAGE = 2
"""The slot of pictures that are copied out of it."""

_SIZE = (_PASSAGE + 1) * _SLOT_SIZE


class Look(msgspec.Struct, frozen=True, tag=True):
    """Parent to child: a picture of this size lies in a slot of the memory.

    Where `codec` names one (see `protocol.frames`) it is `size` bytes that are to be decoded, and
    the picture's number is `frame`; else it is I420 planes with the number in the stamp.
    """

    slot: int
    width: int
    height: int
    codec: int | None = None
    size: int = 0
    frame: int | None = None


class Memory:
    """The memory itself, a file that has no name and ends with the last process that has it open.

    So it needs no room in `/dev/shm`, and whatever becomes of the processes, nothing is left of it.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.bytes = mmap.mmap(descriptor, _SIZE)

    def close(self) -> None:
        """Let go of it, once nothing in this process looks at it any more."""
        self.bytes.close()
        os.close(self.descriptor)


def open_memory() -> Memory:
    """Make the memory; raises DetectorError where there is not so much."""
    try:
        descriptor = os.memfd_create("ballstream-pictures")
        try:
            # Not `ftruncate`: what is not there would end the process that first writes to it.
            os.posix_fallocate(descriptor, 0, _SIZE)
            return Memory(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        raise DetectorError(
            f"no memory for pictures, {_SIZE / 1e6:.0f} MB (memfd_create): {error.strerror}"
        ) from None


def put(memory: Memory, slot: int, picture: Planes | Image) -> Look:
    """Copy a picture into a slot; it has to be one that fits there (`protocol.planes.is_size`)."""
    width, height = picture.width, picture.height
    if isinstance(picture, Image):
        size = len(picture.payload)
        view(memory, slot, (size,))[:] = np.frombuffer(picture.payload, np.uint8)
        return Look(slot, width, height, picture.codec, size, picture.frame)
    i420 = view(memory, slot, i420_shape(width, height))
    for target, plane in zip(planes_of_i420(i420), picture, strict=True):
        target[:] = plane
    return Look(slot, width, height)


def view(memory: Memory, slot: int, shape: tuple[int, ...]) -> Plane:
    """What lies at the beginning of a slot."""
    return np.ndarray(shape, np.uint8, memory.bytes, slot * _SLOT_SIZE)


class Slots:
    """The child's view of the memory: which slots somebody still holds a picture of."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._held: list[weakref.ref[Plane] | None] = [None] * _PASSAGE

    def picture(self, slot: int, shape: tuple[int, int]) -> Plane:
        """The I420 picture in a slot, which stays as it is for as long as somebody holds it."""
        i420 = view(self._memory, slot, shape)
        if slot == _PASSAGE:
            return i420.copy()
        # Every view of an array holds it, so that it lives exactly as long as the last of them.
        self._held[slot] = weakref.ref(i420)
        return i420

    def data(self, slot: int, size: int) -> bytes:
        """The bytes in a slot."""
        return view(self._memory, slot, (size,)).tobytes()

    def free(self) -> int:
        """A slot for the next picture."""
        for slot, held in enumerate(self._held):
            if held is None or held() is None:
                return slot
        return _PASSAGE
