"""The datachannel `coordinates`: its name and options, and the messages on it."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import ProtocolError
from .stamp import MODULUS

LABEL = "coordinates"

CHANNEL_OPTIONS: dict[str, Any] = {
    "protocol": "ballstream.v1",
    "ordered": False,
    "maxRetransmits": 0,
}
"""Options of the channel: the newest estimate counts, so a lost one is never sent again."""

MAX_MESSAGE_SIZE = 1024
"""Longest message, in characters, that either end reads."""


class Estimate(msgspec.Struct, frozen=True, tag_field="type", tag="estimate"):
    """Client to server: where the ball was seen.

    `frame` is the number read from the picture's stamp, or None; `x` and `y` are the centre in
    pixels of the picture, both None where no ball was found; `detect_ms` is the detector's time,
    `client_ms` that from the last packet of the frame to this message. `again` is True in a copy
    of an estimate, which counts only where the first did not arrive.
    """

    frame: Annotated[int, msgspec.Meta(ge=0, lt=MODULUS)] | None
    x: float | None
    y: float | None
    detect_ms: Annotated[float, msgspec.Meta(ge=0)] | None = None
    client_ms: Annotated[float, msgspec.Meta(ge=0)] | None = None
    again: bool | UnsetType = UNSET


Total = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


Extent = Annotated[int, msgspec.Meta(ge=1, le=2**16)]


class Alive(msgspec.Struct, frozen=True, tag_field="type", tag="alive"):
    """Client to server: a sign of life, with the frames received and skipped since the start."""

    received: Total
    skipped: Total


class Feedback(msgspec.Struct, frozen=True, tag_field="type", tag="feedback"):
    """Server to client: how the client is doing; the figures are recent medians, or None.

    `size` is the picture's width and height, in whose pixels places are; None of older servers.
    `repeat` is True while packets are lost: the client does well to send its estimates twice.
    """

    answered: int
    detection_error_px: float | None
    latency_ms: float | None
    size: tuple[Extent, Extent] | None = None
    repeat: bool | UnsetType = UNSET


_Message = Estimate | Alive | Feedback
_decoder: msgspec.json.Decoder[_Message] = msgspec.json.Decoder(_Message)


def encode(message: _Message) -> str:
    """The JSON text of a message."""
    return msgspec.json.encode(message).decode()


def decode_report(text: object) -> Estimate | Alive:
    """Read a client's message; raises ProtocolError for whatever is not a sound one."""
    message = _decode(text)
    if isinstance(message, Feedback):
        raise ProtocolError("neither an estimate nor a sign of life")
    if isinstance(message, Estimate) and (message.x is None) != (message.y is None):
        raise ProtocolError("half a place")
    return message


def decode_feedback(text: object) -> Feedback:
    """Read a server's message; raises ProtocolError for whatever is not feedback."""
    feedback = _decode(text)
    if not isinstance(feedback, Feedback):
        raise ProtocolError("not feedback")
    return feedback


def _decode(text: object) -> _Message:
    if not isinstance(text, str) or len(text) > MAX_MESSAGE_SIZE:
        raise ProtocolError("not a short text message")
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ProtocolError(str(error)) from None
