import asyncio
import os
from contextlib import suppress
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np
import psutil
import pytest
from programs import DEADLINE, soon

from ballstream.errors import DetectorError
from ballstream.protocol import stamp
from ballstream.protocol.frames import Image, ImageCodec
from ballstream.protocol.planes import Planes, i420_shape, planes_of_i420
from ballstream.scene.render import draw_ball
from ballstream.vision import process
from ballstream.vision.child import Sighting
from ballstream.vision.worker import DetectorWorker

DETECTORS = """
import os, sys, time

kept = []

def fine(picture):
    print("a detector may print")
    return 1.5, 2.5

def keeper(picture):
    kept.append(picture)
    return 3, 4

def modules(picture):
    return float("av" in sys.modules), float("aiortc" in sys.modules)

def raises(picture):
    raise RuntimeError("no ball today")

def word(picture):
    return "somewhere"

def nan(picture):
    return float("nan"), 1.0

def three(picture):
    return 1, 2, 3

def nothing(picture):
    return None

def dies_on_7(picture):
    if picture.width == 176:
        os._exit(7)
    return 1, 1

def hangs_on_7(picture):
    while picture.width == 176:
        time.sleep(1)
    return 1, 1

def keeps(picture, most):
    changed = sum((luma != copy).any() for luma, copy in kept)
    kept.append((picture.planes.y, picture.planes.y.copy()))
    del kept[:-most]
    return changed, len(kept)

def keeps_one(picture):
    return keeps(picture, 1)

def keeps_five(picture):
    return keeps(picture, 5)

def far(picture):
    return 5000, 5000

def off(picture):
    return -3, 5

def leaves(picture):
    sys.exit("enough")

def slow_at_first(picture):
    if not kept:
        time.sleep(0.5)
        kept.append(picture)
    return 5, 5

def arguments(picture):
    import argparse
    parser = argparse.ArgumentParser()
    assert parser.prog == "spies", parser.prog
    parser.parse_args()
    return 6, 6

def killed(picture):
    os.kill(os.getpid(), 9)

def loud(picture):
    print("\\udcff" + 10_000 * "loud ")
    return 8, 8

def limit(picture):
    return float(os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"]), 0

def half(number):
    return number / 2

def pool(picture):
    from multiprocessing import get_context
    with get_context("fork").Pool(2) as pool:
        return pool.map(half, (picture.width, picture.height))

def has_child(picture):
    import subprocess
    child = subprocess.Popen(["sleep", "1000"])
    return 0, child.pid / 1e6

def signals(picture):
    import signal
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(os.getpid(), number)
    return 7, 7

class Model:
    made = 0

    def __init__(self):
        Model.made += 1
        self.looks = 0

    def __call__(self, picture):
        return self.detect(picture)

    def detect(self, picture):
        self.looks += 1
        return self.made, self.looks

model = Model()

def make():
    return Model().detect

def size(picture):
    return picture.bgr.shape[1], picture.bgr.shape[0]
"""


@pytest.fixture(autouse=True)
def detectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spies.py").write_text(DETECTORS)
    monkeypatch.chdir(tmp_path)


def picture(number: int, width: int = 160, height: int = 120) -> Planes:
    planes = planes_of_i420(np.empty(i420_shape(width, height), np.uint8))
    draw_ball(planes, (50.25, 40.5), 10)
    stamp.write(planes.y, number)
    return planes


async def sightings_of(detector: str, *pictures: Planes | Image) -> list[Sighting | None]:
    """What a detector says of pictures, one after the other."""
    async with DetectorWorker(detector) as worker:
        return [await soon(worker.look(each)) for each in pictures]


async def look(detector: str, *pictures: Planes | Image) -> list[Sighting]:
    """The same where all of them are answered."""
    sightings = await sightings_of(detector, *pictures)
    return [sighting for sighting in sightings if sighting is not None]


async def test_the_default_detector_finds_ball_and_number() -> None:
    first, second = await look("centroid", picture(7), picture(0xFFFFFF, 320, 240))
    assert (first.frame, second.frame) == (7, 0xFFFFFF)
    for sighting in (first, second):
        assert sighting.x == pytest.approx(50.25, abs=0.01)
        assert sighting.y == pytest.approx(40.5, abs=0.01)
        assert sighting.detect_ms > 0
        assert sighting.error is None


async def test_a_detector_of_one_s_own_may_print_and_keep_pictures(
    capfd: pytest.CaptureFixture[str],
) -> None:
    (sighting,) = await look("spies:fine", picture(1))
    assert (sighting.x, sighting.y) == (1.5, 2.5)
    await look("spies:keeper", picture(1), picture(2))
    assert capfd.readouterr().out == "", "standard output belongs to the report"


async def test_what_nobody_takes_of_its_prints_is_left_out(
    capfd: pytest.CaptureFixture[str],
) -> None:
    (sighting,) = await look("spies:loud", picture(1))
    assert (sighting.x, sighting.error) == (8, None)
    assert capfd.readouterr().err.startswith("\\udcffloud loud")
    kept, full = os.dup(2), os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, 2)
    try:
        (sighting,) = await look("spies:loud", picture(1))
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(full)
    assert (sighting.x, sighting.error) == (8, None)


async def test_the_process_loads_neither_av_nor_aiortc() -> None:
    (sighting,) = await look("spies:modules", picture(1))
    assert (sighting.x, sighting.y) == (0, 0)


async def test_pictures_of_any_size_come_whole() -> None:
    sightings = await look("spies:size", picture(1, 162, 122), picture(2, 1920, 1080))
    assert [(each.x, each.y) for each in sightings] == [(162, 122), (1920, 1080)]


@pytest.mark.parametrize(
    ("detector", "error"),
    [
        ("raises", "RuntimeError: no ball today"),
        ("word", "TypeError: returned 'somewhere', not (x, y) or None"),
        ("three", "TypeError: returned (1, 2, 3), not (x, y) or None"),
        ("nan", "ValueError: returned (nan, 1.0), which is not a place"),
        ("leaves", "SystemExit: enough"),
        ("nothing", None),
    ],
)
async def test_what_a_detector_does_wrong_counts_as_no_ball(
    detector: str, error: str | None
) -> None:
    (sighting,) = await look(f"spies:{detector}", picture(3))
    assert (sighting.frame, sighting.x, sighting.y) == (3, None, None)
    assert sighting.error == error


def image(number: int, codec: ImageCodec, payload: bytes | None = None) -> Image:
    i420 = np.empty(i420_shape(160, 120), np.uint8)
    draw_ball(planes_of_i420(i420), (50.25, 40.5), 10)
    i420[0, 0] = number
    if payload is None:
        match codec:
            case ImageCodec.RAW:
                payload = i420.tobytes()
            case ImageCodec.PNG:
                payload = cv2.imencode(".png", i420)[1].tobytes()
            case ImageCodec.JPEG:
                payload = cv2.imencode(".jpg", i420)[1].tobytes()
    return Image(number, 160, 120, codec, payload)


@pytest.mark.parametrize(
    ("codec", "error"), [(ImageCodec.RAW, 0.01), (ImageCodec.PNG, 0.01), (ImageCodec.JPEG, 0.1)]
)
async def test_a_picture_that_comes_as_bytes_is_decoded_there(
    codec: ImageCodec, error: float
) -> None:
    (sighting,) = await look("centroid", image(77, codec))
    assert sighting.frame == 77, "the number comes beside the picture"
    assert (sighting.x, sighting.y) == pytest.approx((50.25, 40.5), abs=error)


def bomb() -> bytes:
    """A PNG of a few kilobytes that says it is 30,000 pixels wide and high."""
    small = cv2.imencode(".png", np.zeros((180, 160), np.uint8))[1].tobytes()
    header = b"IHDR" + (30_000).to_bytes(4, "big") * 2 + small[24:29]
    return small[:12] + header + crc32(header).to_bytes(4, "big") + small[33:]


@pytest.mark.parametrize(
    "payload", [b"rubbish", cv2.imencode(".png", np.zeros((9, 9), np.uint8))[1].tobytes(), bomb()]
)
async def test_bytes_that_are_no_picture_count_as_no_ball(payload: bytes) -> None:
    sightings = await look("centroid", image(3, ImageCodec.PNG, payload), image(4, ImageCodec.PNG))
    assert sightings[0].error == "a picture came in that cannot be decoded"
    assert (sightings[0].frame, sightings[0].x) == (3, None)
    assert sightings[1].x == pytest.approx(50.25, abs=0.01)


async def test_what_no_picture_can_be_is_refused_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    huge = np.broadcast_to(np.uint8(0), (4000, 4000))
    async with DetectorWorker("spies:fine") as worker:
        assert await worker.look(image(3, ImageCodec.RAW, b"too short")) is None
        assert await worker.look(Planes(huge, huge[::2, ::2], huge[::2, ::2])) is None
        assert await worker.look(picture(1)) is not None
        assert worker.refused == 2
    assert caplog.text.count("cannot be looked at") == 1


async def test_a_failure_is_said_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    async with DetectorWorker("spies:raises") as worker:
        for place in (1, 2, 3):
            await soon(worker.look(picture(place)))
    assert worker.errors == 3
    assert caplog.text.count("no ball today") == 1


@pytest.mark.parametrize("fault", ["dies", "hangs"])
async def test_a_process_that_fails_is_replaced_before_the_next_picture(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with DetectorWorker(f"spies:{fault}_on_7", timeout=1.5) as worker:
        sightings = [
            await soon(worker.look(each)) for each in (picture(1), picture(7, 176), picture(9))
        ]
    assert [sighting and sighting.frame for sighting in sightings] == [1, None, 9]
    assert worker.restarts == 1
    assert "starting another" in caplog.text


async def test_a_look_that_is_cancelled_does_not_answer_the_next_picture() -> None:
    async with DetectorWorker("spies:hangs_on_7", timeout=60) as worker:
        looking = asyncio.create_task(worker.look(picture(7, 176)))
        await asyncio.sleep(0)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        assert await soon(worker.look(picture(8))) is None
        sighting = await soon(worker.look(picture(9)))
    assert sighting.frame == 9
    assert worker.restarts == 1


async def test_where_no_other_can_be_started_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with DetectorWorker("spies:dies_on_7") as worker:
        (tmp_path / "spies.py").write_text("")
        with pytest.raises(DetectorError, match="no other can be started"):
            await soon(worker.look(picture(7, 176)))


@pytest.mark.parametrize("codec", [None, ImageCodec.RAW, ImageCodec.PNG])
async def test_what_a_detector_keeps_stays_as_it_was(codec: ImageCodec | None) -> None:
    """The detector answers with how many of its last five pictures have changed, and how many."""
    pictures = [
        picture(number) if codec is None else image(number, codec) for number in range(1, 13)
    ]
    for detector, kept in (("keeps_one", 1), ("keeps_five", 5)):
        sightings = await look(f"spies:{detector}", *pictures)
        assert [each.error for each in sightings] == [None] * 12
        assert (sightings[-1].x, sightings[-1].y) == (0, kept)


@pytest.mark.parametrize(
    ("detector", "reason"),
    [
        ("nonsense", "there is no detector 'nonsense'"),
        ("spies.py:fine", "names a file, not a module: 'spies:fine'"),
        ("spies:missing", "AttributeError"),
        ("no_such_module:detect", "No module named 'no_such_module'"),
    ],
)
async def test_a_detector_that_cannot_be_loaded_is_said_at_the_start(
    detector: str, reason: str
) -> None:
    with pytest.raises(DetectorError, match=reason):
        async with DetectorWorker(detector):
            pass


@pytest.mark.parametrize(
    ("detector", "places"),
    [
        ("Model", [(2, 1), (2, 2)]),
        ("make", [(2, 1), (2, 2)]),
        ("model", [(1, 1), (1, 2)]),
        ("model.detect", [(1, 1), (1, 2)]),
    ],
)
async def test_a_detector_may_be_made_once_or_be_a_part_of_something(
    detector: str, places: list[tuple[int, int]]
) -> None:
    sightings = await look(f"spies:{detector}", picture(1), picture(2))
    assert [(each.x, each.y) for each in sightings] == places


async def test_the_first_picture_may_take_longer() -> None:
    async with DetectorWorker("spies:slow_at_first", timeout=0.25) as worker:
        assert (await soon(worker.look(picture(1)))).x == 5
    assert worker.restarts == 0


async def test_one_that_is_stuck_with_its_first_picture_never_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with DetectorWorker("spies:hangs_on_7", timeout=0.1) as worker:
        monkeypatch.setattr(process, "_START_TIMEOUT", 0.2)
        with pytest.raises(DetectorError, match=r"more than 0\.2 s for its first picture"):
            await soon(worker.look(picture(7, 176)))


@pytest.mark.parametrize(("detector", "x"), [("far", None), ("off", -3)])
async def test_an_answer_outside_the_picture_is_said_once_and_counted(
    detector: str, x: float | None, caplog: pytest.LogCaptureFixture
) -> None:
    async with DetectorWorker(f"spies:{detector}") as worker:
        sightings = [await soon(worker.look(picture(number))) for number in (1, 2)]
    assert [each.x for each in sightings] == [x, x], "far off it would look lost at the server"
    assert (worker.outside, worker.errors) == (2, 0)
    assert caplog.text.count("outside the picture") == 1


async def test_a_detector_may_parse_arguments_and_finds_none() -> None:
    (sighting,) = await look("spies:arguments", picture(1))
    assert (sighting.x, sighting.error) == (6, None)


async def test_the_user_s_limit_of_opencv_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_IO_MAX_IMAGE_PIXELS", "123")
    (sighting,) = await look("spies:limit", picture(1))
    assert sighting.x == 123


async def test_a_detector_may_use_processes_of_its_own() -> None:
    (sighting,) = await look("spies:pool", picture(1))
    assert (sighting.x, sighting.y) == (80, 60)


async def test_its_processes_end_with_it() -> None:
    (sighting,) = await look("spies:has_child", picture(1))
    assert sighting.y is not None
    pid = round(sighting.y * 1e6)
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(DEADLINE)


async def test_how_a_process_ended_is_said(caplog: pytest.LogCaptureFixture) -> None:
    assert await sightings_of("spies:killed", picture(1)) == [None]
    assert await sightings_of("spies:dies_on_7", picture(7, 176)) == [None]
    assert "process ended with signal 9 (SIGKILL); starting another" in caplog.text
    assert "process ended with exit status 7; starting another" in caplog.text


async def test_the_parent_decides_what_signals_end() -> None:
    (sighting,) = await look("spies:signals", picture(1))
    assert sighting.x == 7


@pytest.mark.parametrize("name", ["socket", "types", "random", "signal", "queue", "cv2", "numpy"])
async def test_nothing_in_the_working_folder_is_run_that_nobody_asked_for(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / f"{name}.py").write_text("open('executed', 'w')\nraise RuntimeError")
    detector = "centroid" if name in ("cv2", "numpy") else "spies:fine"
    assert len(await look(detector, picture(1))) == 1
    assert not (tmp_path / "executed").exists()


async def test_what_cannot_be_imported_is_said_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('numpy is too old')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DetectorError, match=r"cannot be loaded: ImportError: numpy is too old$"):
        async with DetectorWorker("centroid"):
            pass


async def test_a_process_that_ends_before_it_is_ready_says_how(tmp_path: Path) -> None:
    (tmp_path / "ends.py").write_text("import os\nos._exit(3)")
    reason = "the detector's process ended with exit status 3 before it was ready$"
    with pytest.raises(DetectorError, match=reason):
        async with DetectorWorker("ends:detect"):
            pass


async def test_a_missing_system_library_becomes_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cv2.py").write_text(
        "raise ImportError('libGL.so.1: cannot open shared object file')"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DetectorError, match=r"libGL\.so\.1.*apt-get install libgl1"):
        async with DetectorWorker("centroid"):
            pass


async def test_nothing_is_left_of_it() -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    await look("spies:fine", picture(1))  # opens whatever stays
    before = descriptors()
    await look("spies:fine", picture(1))
    assert descriptors() == before


async def test_it_ends_while_it_hangs_and_while_it_starts() -> None:
    async with DetectorWorker("spies:hangs_on_7", timeout=60) as worker:
        looking = asyncio.create_task(worker.look(picture(7, 176)))
        await asyncio.sleep(0)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    starting = asyncio.create_task(DetectorWorker("spies:fine").__aenter__())
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert _detectors() == []


def _detectors() -> list[psutil.Process]:
    def is_detector(process: psutil.Process) -> bool:
        try:
            return any("ballstream.vision.child" in part for part in process.cmdline())
        except psutil.NoSuchProcess:
            return False

    return [child for child in psutil.Process().children() if is_detector(child)]
