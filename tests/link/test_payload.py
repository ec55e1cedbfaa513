import pytest

from ballstream.link.payload import fits, starts_keyframe

START = b"\0\0\0\1"


@pytest.mark.parametrize(
    ("payload", "data", "expected"),
    [
        (b"\x10\x00\x00", b"\x00\x00", True),
        (b"\x10\x01\x00", b"\x01\x00", False),
        (b"\x00\x00\x00", b"\x00\x00", False),
        (b"\x90\x80\x91\x23\x10\x02", b"\x10\x02", True),
        (b"\x11\x00", b"\x00", False),
        (b"\x10", b"", False),
        (b"", b"", False),
    ],
)
def test_vp8(payload: bytes, data: bytes, expected: bool) -> None:
    assert starts_keyframe("VP8", payload, data) is expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (START + b"\x67\x42" + START + b"\x68\xce" + START + b"\x65\x88", True),
        (START + b"\x09\x10" + START + b"\x67\x42", True),
        (START + b"\x65\x88", False),
        (START + b"\x41\x9a", False),
        (b"\x67\x42", False),
        (START, False),
        (b"", False),
    ],
)
def test_h264(data: bytes, expected: bool) -> None:
    assert starts_keyframe("H264", b"", data) is expected


def test_of_other_codecs_nothing_is_known() -> None:
    assert not starts_keyframe("opus", b"\x10\x00", b"\x00")


@pytest.mark.parametrize(
    ("codec", "data", "expected"),
    [
        ("VP8", b"\x10\x00\x00\x9d\x01\x2a\x80\x02\xe0\x01", True),
        ("VP8", b"\x10\x00\x00\x9d\x01\x2a\xff\x3f\xff\x3f", False),
        ("VP8", b"\x11\x00\x00\x9d\x01\x2a\xff\x3f\xff\x3f", True),
        ("VP8", b"\x10\x00", True),
        ("H264", b"\x10\x00\x00\x9d\x01\x2a\xff\x3f\xff\x3f", True),
    ],
)
def test_a_keyframe_that_says_it_is_huge_does_not_fit(
    codec: str, data: bytes, expected: bool
) -> None:
    assert fits(codec, data, 640 * 480) is expected
