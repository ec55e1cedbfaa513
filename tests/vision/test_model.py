"""A real model in a real runtime, as docs/examples/onnx_detector.py has it."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from needs import need
from programs import soon

from ballstream.protocol.planes import i420_shape, planes_of_i420
from ballstream.scene.render import draw_ball
from ballstream.vision.worker import DetectorWorker

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "onnx_detector.py"

FLOAT = 1
BLUENESS = np.array([1, -0.5, -0.5], np.float32)
LEAST = np.array([-0.25], np.float32)

Field = tuple[int, int | bytes]


def varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def message(*fields: Field) -> bytes:
    """Protocol Buffers' wire format, of numbers and of what has a length."""
    return b"".join(
        varint(number << 3) + varint(value)
        if isinstance(value, int)
        else varint(number << 3 | 2) + varint(len(value)) + value
        for number, value in fields
    )


def tensor(name: bytes, values: np.ndarray, *dims: int) -> bytes:
    return message(*((1, each) for each in dims), (2, FLOAT), (8, name), (9, values.tobytes()))


def value(name: bytes, *dims: bytes | int) -> bytes:
    shape = message(*((1, message((2 if isinstance(d, bytes) else 1, d))) for d in dims))
    return message((1, name), (2, message((1, message((1, FLOAT), (2, shape))))))


def blueness() -> bytes:
    """An ONNX model (onnx.proto, IR version 8): a convolution of one pixel, then what is over 0."""
    convolution = message((1, b"bgr"), (1, b"w"), (1, b"b"), (2, b"blue"), (4, b"Conv"))
    cut = message((1, b"blue"), (2, b"likeness"), (4, b"Relu"))
    graph = message(
        (1, convolution), (1, cut), (2, b"ball"),
        (5, tensor(b"w", BLUENESS, 1, 3, 1, 1)), (5, tensor(b"b", LEAST, 1)),
        (11, value(b"bgr", 1, 3, b"height", b"width")),
        (12, value(b"likeness", 1, 1, b"height", b"width")),
    )  # fmt: skip
    return message((1, 8), (7, graph), (8, message((2, 13))))


async def test_a_model_finds_the_ball(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need(find_spec("onnxruntime"), "onnxruntime: pip install onnxruntime")
    shutil.copy(EXAMPLE, tmp_path)
    (tmp_path / "ball.onnx").write_bytes(blueness())
    monkeypatch.chdir(tmp_path)
    without = np.full(i420_shape(640, 480), 128, np.uint8)
    with_ball = without.copy()
    draw_ball(planes_of_i420(with_ball), (123.4, 234.5), 20)
    async with DetectorWorker("onnx_detector:Model") as worker:
        found = await soon(worker.look(planes_of_i420(with_ball)))
        nothing = await soon(worker.look(planes_of_i420(without)))
        assert worker.errors == 0
    assert (found.x, found.y) == pytest.approx((123.4, 234.5), abs=0.1)
    assert (nothing.x, nothing.y, nothing.error) == (None, None, None)


async def test_a_model_that_is_not_there_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(find_spec("onnxruntime"), "onnxruntime: pip install onnxruntime")
    shutil.copy(EXAMPLE, tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception, match=r"'onnx_detector:Model' cannot be made: .*ball\.onnx"):
        async with DetectorWorker("onnx_detector:Model"):
            pass
