"""Where each millisecond of the loop goes, next to what the bare work costs without the loop."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import av
import msgspec
import numpy as np
from rich import box
from rich.table import Table

from .. import trace
from ..config import Codec
from ..link.codec import Encoding, encode, open_encoder
from ..link.picture import planes_of_frame
from ..protocol import stamp
from ..protocol.planes import i420_shape, planes_of_i420
from ..report.view import number
from ..scene.motion import bounce
from ..scene.render import Scene
from ..vision.detect import centroid
from ..vision.picture import Picture
from .run import run_scenario
from .scenarios import Scenario

_WORK = {
    "drawn": "draw",
    "encoded": "encode",
    "received": "send and receive",
    "decoded": "decode",
    "handed": "hand over",
    "seen": "detect",
    "arrived": "return",
}
"""What is done until a frame passes each stage."""

_SKIPPED = 60
_SIZE, _FPS, _RADIUS, _BITRATE = (640, 480), 30, 20, 1_000_000
_BARE_FRAMES = 200


Result = TypeVar("Result")


class Share(msgspec.Struct, frozen=True):
    """A part of the loop in ms: in the loop, and bare where it is done in the bare run too."""

    work: str
    p50: float
    p95: float
    bare: float | None


async def profile(scenario: Scenario, duration: float) -> list[Share]:
    """Trace a run of a scenario with the defaults, then measure the bare work."""
    with tempfile.TemporaryDirectory(prefix="ballstream-profile-") as folder:
        file = Path(folder) / "trace"
        await run_scenario(scenario, duration, {trace.VARIABLE: str(file)})
        server, client = trace.read(file), trace.read(file.with_name("trace.client"))
    frames = [
        instants
        for frame in sorted(server)
        if len(instants := server[frame] | client.get(frame, {})) == len(trace.STAGES)
    ]
    return shares(frames[_SKIPPED:], bare_compute())


def shares(frames: list[dict[str, float]], bare: dict[str, float]) -> list[Share]:
    """The parts of the loop over some frames, and the whole of it as the last."""
    parts = []
    for begun, done in zip(trace.STAGES, trace.STAGES[1:], strict=False):
        spent = [1e3 * (frame[done] - frame[begun]) for frame in frames]
        work = _WORK[done]
        parts.append(Share(work, *_percentiles(spent), bare.get(work)))
    whole = [1e3 * (frame[trace.STAGES[-1]] - frame[trace.STAGES[0]]) for frame in frames]
    return [*parts, Share("the loop", *_percentiles(whole), sum(bare.values()))]


def bare_compute() -> dict[str, float]:
    """Milliseconds (p50) to draw, encode, decode and detect in one process, at the frame rate.

    A frame time of rest between two pictures, as in the loop: caches are cold and cores asleep.
    """
    scene = Scene(bounce(*_SIZE, _RADIUS, 280, 0), _RADIUS, stamped=True)
    encoder = open_encoder(Encoding(Codec.VP8, _SIZE, _FPS, _BITRATE))
    decoder = av.CodecContext.create("libvpx", "r")
    i420 = np.empty(i420_shape(*_SIZE), np.uint8)
    spent: dict[str, list[float]] = {}

    def draw(index: int) -> av.VideoFrame:
        frame = av.VideoFrame(*_SIZE, "yuv420p")
        scene.draw(planes_of_frame(frame), index, index / _FPS)
        return frame

    def detect(picture: av.VideoFrame) -> None:
        for target, plane in zip(planes_of_i420(i420), planes_of_frame(picture), strict=True):
            target[:] = plane
        stamp.read(i420)
        centroid(Picture(i420))

    def timed(work: str, function: Callable[..., Result], *arguments: Any) -> Result:
        begun = time.perf_counter()
        result = function(*arguments)
        spent.setdefault(work, []).append(1e3 * (time.perf_counter() - begun))
        return result

    for index in range(_BARE_FRAMES):
        time.sleep(1 / _FPS)
        frame = timed("draw", draw, index)
        frame.pts, frame.time_base = index, encoder.time_base
        packet = timed("encode", encode, encoder, frame, index == 0)
        assert packet is not None
        (picture,) = timed("decode", decoder.decode, av.Packet(bytes(packet)))
        timed("detect", detect, picture)
    return {work: median(values) for work, values in spent.items()}


def profile_table(parts: list[Share]) -> Table:
    """One row a part of the loop."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("part of the loop")
    for column in ("p50 ms", "p95 ms", "bare ms"):
        table.add_column(column, justify="right")
    for part in parts:
        table.add_row(part.work, number(part.p50, 2), number(part.p95, 2), number(part.bare, 2))
    return table


def _percentiles(values: list[float]) -> tuple[float, float]:
    p50, p95 = np.percentile(values, (50, 95))
    return float(p50), float(p95)
