import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballstream.errors import ProtocolError
from ballstream.protocol.messages import (
    CHANNEL_OPTIONS,
    LABEL,
    MAX_MESSAGE_SIZE,
    Alive,
    Estimate,
    Feedback,
    decode_feedback,
    decode_report,
    encode,
)

FEEDBACK = '{"type":"feedback","answered":512,"detection_error_px":0.02,"latency_ms":5.6}'

FINITE = st.floats(allow_nan=False, allow_infinity=False)
FRAMES = st.none() | st.integers(0, 2**24 - 1)
DURATIONS = st.none() | st.floats(0, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=5,
)


def estimate(**fields: str) -> str:
    """A sound estimate as JSON, with some fields replaced by other JSON."""
    sound = {"type": '"estimate"', "frame": "7", "x": "1.5", "y": "2.5"}
    return "{" + ",".join(f'"{name}":{value}' for name, value in (sound | fields).items()) + "}"


def test_the_channel_is_the_one_of_the_interface() -> None:
    assert LABEL == "coordinates"
    assert CHANNEL_OPTIONS == {"protocol": "ballstream.v1", "ordered": False, "maxRetransmits": 0}


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            Estimate(1234, 321.42, 200.13, 0.21),
            '{"type":"estimate","frame":1234,"x":321.42,"y":200.13,"detect_ms":0.21,'
            '"client_ms":null}',
        ),
        (
            Estimate(0, None, None),
            '{"type":"estimate","frame":0,"x":null,"y":null,"detect_ms":null,"client_ms":null}',
        ),
        (
            Estimate(1234, 321.42, 200.13, 0.21, 1.5),
            '{"type":"estimate","frame":1234,"x":321.42,"y":200.13,"detect_ms":0.21,'
            '"client_ms":1.5}',
        ),
        (Alive(1234, 5), '{"type":"alive","received":1234,"skipped":5}'),
        (
            Feedback(512, 0.02, 5.6, (640, 480)),
            FEEDBACK[:-1] + ',"size":[640,480]}',
        ),
        (
            Feedback(0, None, None),
            '{"type":"feedback","answered":0,"detection_error_px":null,"latency_ms":null,'
            '"size":null}',
        ),
    ],
)
def test_messages_are_written_as_json(message: Estimate | Alive | Feedback, text: str) -> None:
    assert encode(message) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (estimate(), Estimate(7, 1.5, 2.5)),
        (estimate(frame="null"), Estimate(None, 1.5, 2.5)),
        (estimate(frame="16777215"), Estimate(2**24 - 1, 1.5, 2.5)),
        (estimate(x="null", y="null"), Estimate(7, None, None)),
        (estimate(x="-3", y="4"), Estimate(7, -3.0, 4.0)),
        (estimate(detect_ms="0.25"), Estimate(7, 1.5, 2.5, 0.25)),
        (estimate(detect_ms="null"), Estimate(7, 1.5, 2.5)),
        (estimate(client_ms="1.25"), Estimate(7, 1.5, 2.5, None, 1.25)),
        (estimate(radius="20", note='["any",{"thing":1}]'), Estimate(7, 1.5, 2.5)),
        (' { "y" : 2.5 , "x" : 1.5 , "frame" : 7 , "type" : "estimate" } ', Estimate(7, 1.5, 2.5)),
    ],
)
def test_a_sound_estimate_is_read(text: str, expected: Estimate) -> None:
    assert decode_report(text) == expected


def test_a_sign_of_life_is_read() -> None:
    text = '{"type":"alive","received":1234,"skipped":5,"more":[1]}'
    assert decode_report(text) == Alive(1234, 5)


@pytest.mark.parametrize(
    "fields",
    [
        "",
        ',"received":1',
        ',"received":1,"skipped":-1',
        ',"received":-1,"skipped":0',
        ',"received":1.5,"skipped":0',
        ',"received":true,"skipped":0',
        ',"received":null,"skipped":0',
        ',"received":1,"skipped":"0"',
        ',"received":1e400,"skipped":0',
        ',"received":1,"skipped":' + "9" * 100,
    ],
)
def test_any_other_sign_of_life_is_refused(fields: str) -> None:
    with pytest.raises(ProtocolError):
        decode_report(f'{{"type":"alive"{fields}}}')


def test_sound_feedback_is_read() -> None:
    assert decode_feedback(FEEDBACK) == Feedback(512, 0.02, 5.6)
    assert decode_feedback(FEEDBACK[:-1] + ',"more":[1]}') == Feedback(512, 0.02, 5.6)
    sized = FEEDBACK[:-1] + ',"size":[640,480]}'
    assert decode_feedback(sized) == Feedback(512, 0.02, 5.6, (640, 480))


@pytest.mark.parametrize(
    "text",
    [
        estimate(x="NaN"),
        estimate(y="Infinity"),
        estimate(y="-Infinity"),
        estimate(x="1e999"),
        estimate(x="-1e999"),
        estimate(x="1" + "0" * 400),
        estimate(x='"1.5"'),
        estimate(x="true"),
        estimate(x="[1.5]"),
        estimate(x="null"),
        estimate(y="null"),
        estimate(frame="true"),
        estimate(frame="-1"),
        estimate(frame="16777216"),
        estimate(frame="7.5"),
        estimate(frame='"7"'),
        estimate(frame="9" * 100),
        estimate(detect_ms="-0.1"),
        estimate(client_ms="-0.1"),
        estimate(client_ms="NaN"),
        estimate(client_ms='"1"'),
        estimate(detect_ms="NaN"),
        estimate(detect_ms="1e999"),
        estimate(detect_ms='"fast"'),
        estimate(type='"feedback"'),
        estimate(type='"guess"'),
        estimate(type="null"),
        estimate(type="1"),
        '{"frame":7,"x":1.5,"y":2.5}',
        '{"type":"estimate","x":1.5,"y":2.5}',
        '{"type":"estimate","frame":7,"y":2.5}',
        '{"type":"estimate","frame":7,"x":1.5}',
        '{"type":"estimate"}',
        FEEDBACK,
        estimate().encode(),
        bytearray(estimate().encode()),
        None,
        7,
        {"type": "estimate", "frame": 7, "x": 1.5, "y": 2.5},
        "",
        " ",
        "null",
        "[]",
        "7",
        '"estimate"',
        "{",
        "x=1.5, y=2.5",
        estimate() + estimate(),
        estimate()[:-1],
        estimate(note='"\0"'),
        estimate(note='"\ud800"'),
        estimate(note='"\\ud800"'),
        "\ud800",
        "\ufeff" + estimate(),
        "[" * MAX_MESSAGE_SIZE,
        '{"a":' * 200,
        estimate(note="[" * 900),
        estimate().ljust(MAX_MESSAGE_SIZE + 1),
        "\U0001f3c0" * (MAX_MESSAGE_SIZE + 1),
    ],
    ids=lambda text: ascii(text)[:60],
)
def test_anything_but_a_sound_report_is_refused(text: object) -> None:
    with pytest.raises(ProtocolError):
        decode_report(text)


@pytest.mark.parametrize(
    "text",
    [
        estimate(),
        FEEDBACK.replace("512", "5.5"),
        FEEDBACK.replace("512", "true"),
        FEEDBACK.replace("0.02", "NaN"),
        FEEDBACK.replace("5.6", "1e999"),
        FEEDBACK.replace("5.6", '"5.6"'),
        FEEDBACK.replace("answered", "answers"),
        FEEDBACK.replace("feedback", "applause"),
        FEEDBACK[:-1] + ',"size":[640]}',
        FEEDBACK[:-1] + ',"size":[0,480]}',
        FEEDBACK.encode(),
        FEEDBACK.ljust(MAX_MESSAGE_SIZE + 1),
        "",
        "\ud800",
    ],
    ids=lambda text: ascii(text)[:60],
)
def test_anything_but_feedback_is_refused(text: object) -> None:
    with pytest.raises(ProtocolError):
        decode_feedback(text)


def test_the_longest_message_is_read() -> None:
    assert decode_report(estimate().ljust(MAX_MESSAGE_SIZE)) == Estimate(7, 1.5, 2.5)


@given(FRAMES, FINITE, FINITE, DURATIONS, DURATIONS)
@settings(deadline=None)
def test_an_estimate_comes_back_as_it_was(
    frame: int | None, x: float, y: float, detect_ms: float | None, client_ms: float | None
) -> None:
    message = Estimate(frame, x, y, detect_ms, client_ms)
    assert decode_report(encode(message)) == message


@given(st.integers(0, 2**53), st.none() | FINITE, st.none() | FINITE)
@settings(deadline=None)
def test_feedback_comes_back_as_it_was(
    answered: int, detection: float | None, latency: float | None
) -> None:
    message = Feedback(answered, detection, latency)
    assert decode_feedback(encode(message)) == message


@given(st.text(st.characters()) | JSON.map(json.dumps))
@settings(deadline=None)
def test_any_text_is_an_estimate_or_refused(text: str) -> None:
    try:
        decoded = decode_report(text)
    except ProtocolError:
        return
    check(decoded)


@given(st.fixed_dictionaries({"type": st.just("estimate"), "frame": JSON, "x": JSON, "y": JSON}))
@settings(deadline=None)
def test_an_estimate_with_any_fields_is_sound_or_refused(fields: dict[str, Any]) -> None:
    try:
        decoded = decode_report(json.dumps(fields))
    except ProtocolError:
        return
    check(decoded)


def check(decoded: Estimate | Alive) -> None:
    if isinstance(decoded, Alive):
        assert decoded.received >= 0 <= decoded.skipped
        return
    assert decoded.frame is None or 0 <= decoded.frame < 2**24
    assert (decoded.x is None) == (decoded.y is None)
    for value in (decoded.x, decoded.y, decoded.detect_ms, decoded.client_ms):
        assert value is None or math.isfinite(value)


def test_a_copy_says_so_and_what_is_none_says_nothing() -> None:
    copy = Estimate(7, 1.0, 2.0, again=True)
    assert encode(copy).endswith(',"again":true}')
    assert decode_report(encode(copy)) == copy
    assert "again" not in encode(Estimate(7, 1.0, 2.0))


def test_feedback_may_ask_for_copies() -> None:
    assert decode_feedback(FEEDBACK[:-1] + ',"repeat":true}').repeat is True
    assert encode(Feedback(0, None, None, repeat=True)).endswith(',"repeat":true}')
    assert "repeat" not in encode(Feedback(0, None, None))
