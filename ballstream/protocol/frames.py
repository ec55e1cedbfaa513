"""Pictures as bytes on a datachannel: how a frame is cut into messages and put together again.

Layout of a message, all numbers big-endian, for a reader in any language:

| bytes | what |
|---|---|
| 0-1 | `BF`, the magic |
| 2 | version, 1 |
| 3 | codec: 0 raw, 1 PNG, 2 JPEG |
| 4-7 | frame number, modulo 2^24 |
| 8-9, 10-11 | width and height of the picture in pixels, both even |
| 12-13, 14-15 | which part of the frame this is, from 0, and how many there are |
| 16- | the part's share of the payload, of `PART_SIZE` bytes but for the last |

The parts' shares in their order are the payload: an I420 picture, that is the Y, U and V planes one
after the other, `height * 3 / 2` rows of `width` bytes. Raw, these bytes as they are; as PNG or
JPEG a grey picture of that shape, so that no colour conversion comes between.

The channel is unordered and nothing is sent again, so a lost part costs its frame and no other.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from ..errors import ProtocolError
from .stamp import MODULUS

LABEL = "frames"

CHANNEL_OPTIONS: dict[str, Any] = {
    "protocol": "ballstream.frames.v1",
    "ordered": False,
    "maxRetransmits": 0,
}
"""Options of the channel: what is lost is lost, and holds nothing up."""

PART_SIZE = 16 * 1024
"""Bytes of payload in a message: with its header well below what every WebRTC stack takes."""

MAX_PAYLOAD = 4 * 1024 * 1024
"""Largest payload of one frame that is put together."""

_MAGIC = b"BF"
_VERSION = 1
_HEADER = struct.Struct("!2sBBIHHHH")
_HELD = 4


class ImageCodec(IntEnum):
    """How the payload is compressed."""

    RAW = 0
    PNG = 1
    JPEG = 2


@dataclass(frozen=True, slots=True)
class Image:
    """One picture with its number; `payload` as the codec has it."""

    frame: int
    width: int
    height: int
    codec: ImageCodec
    payload: bytes


def split(image: Image) -> list[bytes]:
    """The messages of a picture; raises ValueError where its payload is empty or too large."""
    if not 0 < len(image.payload) <= MAX_PAYLOAD:
        raise ValueError(f"a payload of {len(image.payload)} bytes cannot be sent")
    places = range(0, len(image.payload), PART_SIZE)
    return [
        _HEADER.pack(
            _MAGIC, _VERSION, image.codec, image.frame % MODULUS, image.width, image.height,
            part, len(places),
        )
        + image.payload[place : place + PART_SIZE]
        for part, place in enumerate(places)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Header:
    frame: int
    width: int
    height: int
    codec: ImageCodec
    parts: int


class Joining:
    """Puts frames together from parts in any order.

    A few frames may be incomplete at a time; beyond that the oldest is given up, which `lost`
    counts, as it does those that a newer one overtakes.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._incomplete: dict[_Header, dict[int, bytes]] = {}

    def add(self, message: object) -> Image | None:
        """Take a message; returns the picture that it completes.

        Raises ProtocolError where it is not a sound part of a frame.
        """
        header, part, share = _parse(message)
        parts = self._incomplete.setdefault(header, {})
        parts[part] = share
        if len(parts) == header.parts:
            self._forget_until(header)
            payload = b"".join(parts[place] for place in range(header.parts))
            return Image(header.frame, header.width, header.height, header.codec, payload)
        if len(self._incomplete) > _HELD:
            del self._incomplete[next(iter(self._incomplete))]
            self.lost += 1
        return None

    def _forget_until(self, header: _Header) -> None:
        """Forget a frame that is complete, and what began before it: nobody wants that now."""
        for older in list(self._incomplete):
            del self._incomplete[older]
            if older == header:
                return
            self.lost += 1


def _parse(message: object) -> tuple[_Header, int, bytes]:
    if not isinstance(message, bytes) or len(message) <= _HEADER.size:
        raise ProtocolError("not a part of a frame")
    magic, version, codec, frame, width, height, part, parts = _HEADER.unpack_from(message)
    share = message[_HEADER.size :]
    if (magic, version) != (_MAGIC, _VERSION) or codec not in iter(ImageCodec):
        raise ProtocolError("not a part of a frame that this version can read")
    full = len(share) == PART_SIZE or (part == parts - 1 and len(share) < PART_SIZE)
    sound = frame < MODULUS and part < parts <= MAX_PAYLOAD // PART_SIZE and full
    if not sound or not width or not height or width % 2 or height % 2:
        raise ProtocolError("a part of a frame with impossible numbers")
    return _Header(frame, width, height, ImageCodec(codec), parts), part, share
