import asyncio
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import soon

from ballstream.errors import SignalingError
from ballstream.signaling.messages import (
    Answer,
    Bye,
    Failure,
    Gone,
    Message,
    Offer,
    decode,
    encode,
)

MESSAGES: list[tuple[Message, dict[str, str]]] = [
    (Offer("v=0"), {"type": "offer", "sdp": "v=0"}),
    (Offer("v=0", "arm"), {"type": "offer", "sdp": "v=0", "name": "arm"}),
    (Answer("v=0"), {"type": "answer", "sdp": "v=0"}),
    (Failure("no"), {"type": "error", "message": "no"}),
    (Bye(), {"type": "bye"}),
]


@pytest.mark.parametrize(("message", "content"), MESSAGES)
def test_a_message_is_one_line_of_json(message: Message, content: dict[str, str]) -> None:
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == content
    assert decode(line) == message


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello\n",
        b"{}",
        b"[]",
        b'{"type": "offer"}',
        b'{"type": "offer", "sdp": 7}',
        b'{"type": "offer", "sdp": "v=0", "name": 7}',
        b'{"type": "candidate", "candidate": ""}',
        b'{"sdp": "v=0"}',
        b"\xff\xfe",
        b'{"type": "offer", "sdp": "\xff"}',
        b"[" * 10_000,
        b'{"type": "offer", "sdp": ' + b"[" * 5_000,
    ],
)
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(SignalingError, match="not a signalling message"):
        decode(line)


@given(st.binary(max_size=200))
def test_no_line_raises_anything_but_a_signaling_error(line: bytes) -> None:
    with suppress(SignalingError):
        decode(line)


@given(st.text(), st.none() | st.text())
def test_every_offer_comes_back_from_its_line(sdp: str, name: str | None) -> None:
    offer = Offer(sdp, name)
    assert decode(encode(offer)) == offer


async def test_who_waits_for_the_goodbye_hears_what_came_instead() -> None:
    gone = Gone()
    waiting = asyncio.create_task(gone.wait())
    await asyncio.sleep(0)
    gone.fail(SignalingError("something else"))
    for each in (waiting, gone.wait()):
        with pytest.raises(SignalingError, match="something else"):
            await soon(each)
