"""The datachannel `coordinates`: its name and options, and the messages on it."""

from typing import Annotated, Any

import msgspec

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
    pixels of the picture, both None where no ball was found; `detect_ms` is the detector's time.
    """

    frame: Annotated[int, msgspec.Meta(ge=0, lt=MODULUS)] | None
    x: float | None
    y: float | None
    detect_ms: Annotated[float, msgspec.Meta(ge=0)] | None = None


class Feedback(msgspec.Struct, frozen=True, tag_field="type", tag="feedback"):
    """Server to client: how the client is doing; the figures are recent medians, or None."""

    answered: int
    detection_error_px: float | None
    latency_ms: float | None


_decoder = msgspec.json.Decoder(Estimate | Feedback)


def encode(message: Estimate | Feedback) -> str:
    """The JSON text of a message."""
    return msgspec.json.encode(message).decode()


def decode_estimate(text: object) -> Estimate:
    """Read a client's message; raises ProtocolError for whatever is not a sound estimate."""
    estimate = _decode(text)
    if not isinstance(estimate, Estimate) or (estimate.x is None) != (estimate.y is None):
        raise ProtocolError("not an estimate")
    return estimate


def decode_feedback(text: object) -> Feedback:
    """Read a server's message; raises ProtocolError for whatever is not feedback."""
    feedback = _decode(text)
    if not isinstance(feedback, Feedback):
        raise ProtocolError("not feedback")
    return feedback


def _decode(text: object) -> Estimate | Feedback:
    if not isinstance(text, str) or len(text) > MAX_MESSAGE_SIZE:
        raise ProtocolError("not a short text message")
    try:
        message: Estimate | Feedback = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ProtocolError(str(error)) from None
    return message
