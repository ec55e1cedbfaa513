"""What `import ballstream` gives, from an installed wheel, in an empty folder."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from programs import soon

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a Python that has the wheel and not the checkout."""
    wheels, packages = (tmp_path_factory.mktemp(name) for name in ("wheels", "packages"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", str(ROOT), "--no-deps", "--no-build-isolation", "-w", str(wheels)]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(packages), wheel], check=True)
    return {**os.environ, "PYTHONPATH": str(packages)}


def python(program: str, env: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        env=env, cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@asynccontextmanager
async def running(
    script: Path, *arguments: str, env: dict[str, str], folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, *arguments, env=env, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    line: bytes = await soon(process.stdout.readline())
    return line.decode().strip()


def test_it_is_the_wheel_and_it_is_light(installed: dict[str, str], tmp_path: Path) -> None:
    program = (
        "import sys, ballstream\n"
        "print(ballstream.__file__)\n"
        "print(*sorted({'aiortc', 'av', 'cv2', 'numpy', 'aiohttp', 'msgspec'} & set(sys.modules)))"
    )
    file, heavy = python(program, installed, tmp_path).splitlines()
    assert file.startswith(installed["PYTHONPATH"])
    assert heavy == ""


def test_it_says_its_types(installed: dict[str, str]) -> None:
    assert (Path(installed["PYTHONPATH"]) / "ballstream" / "py.typed").is_file()


def test_every_name_is_there(installed: dict[str, str], tmp_path: Path) -> None:
    program = (
        "import ballstream\n"
        "for name in ballstream.__all__:\n"
        "    assert getattr(ballstream, name).__doc__ or name == 'Detector', name\n"
        "    assert name in dir(ballstream)\n"
        "try:\n"
        "    ballstream.nothing\n"
        "except AttributeError as error:\n"
        "    print(error)"
    )
    printed = python(program, installed, tmp_path)
    assert printed == "module 'ballstream' has no attribute 'nothing'\n"


def test_a_detector_is_evaluated_the_same_each_time(
    installed: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text("def detect(picture):\n    return 320, 240\n")
    program = (
        "import ballstream\n"
        "for codec in 'VP8', 'H264':\n"
        "    one, other = (ballstream.evaluate('centroid', frames=90, codec=codec) for _ in '12')\n"
        "    assert one == other\n"
        "    assert one.frames_due == one.frames_answered == 90\n"
        "    assert one.detection_error_px.n == 60\n"
        "    assert one.detection_error_px.p95 < 0.1\n"
        "    assert one.latency_ms.n == one.tracking_error_px.n == 0\n"
        "    assert one.latency_ms.p50 is None\n"
        "print(ballstream.evaluate('mine:detect', frames=60).detection_error_px.p50 > 20)"
    )
    assert python(program, installed, tmp_path) == "True\n"


WRONG_CALLS = {
    "evaluate('centroid', frames=0)": "UsageError: 0 frames cannot be scored",
    "evaluate('centroid', size=(641, 480))": "UsageError: 641x480: width and height must be",
    "evaluate('centroid', codec='AV1')": "UsageError: 'AV1' is no codec: VP8 or H264",
    "evaluate('centroid', bitrate=1)": "UsageError: 1 bit/s is not between 200k and 20M",
    "evaluate('nobody')": "DetectorError: there is no detector 'nobody'",
    "evaluate(lambda picture: 'a')": "TypeError: returned 'a', not (x, y) or None",
}


def test_what_cannot_be_evaluated_is_said(installed: dict[str, str], tmp_path: Path) -> None:
    program = "import ballstream\n" + "".join(
        f"try:\n    ballstream.{call}\n"
        "except Exception as error:\n    print(f'{type(error).__name__}: {error}')\n"
        for call in WRONG_CALLS
    )
    lines = python(program, installed, tmp_path).splitlines()
    for line, (call, text) in zip(lines, WRONG_CALLS.items(), strict=True):
        assert line.startswith(text), call


async def test_a_server_and_a_client_in_programs_of_one_s_own(
    installed: dict[str, str], tmp_path: Path
) -> None:
    async with running(EXAMPLES / "serve.py", env=installed, folder=tmp_path) as server:
        address = await line_of(server)
        assert address.startswith("tcp://127.0.0.1:")
        async with running(
            EXAMPLES / "watch.py", address, env=installed, folder=tmp_path
        ) as client:
            assert (await line_of(client)).startswith("60 answers; the server says: Feedback(")
            assert await soon(client.wait()) == 0
        report = await line_of(server)
    assert int(report.split()[0]) > 50
    assert "detection error 0." in report


async def test_the_quick_reception_is_quicker_in_any_program(
    installed: dict[str, str], tmp_path: Path
) -> None:
    async with running(EXAMPLES / "quick.py", env=installed, folder=tmp_path) as program:
        stock = (await line_of(program)).split()
        quick = (await line_of(program)).split()
        assert await soon(program.wait()) == 0
    assert (stock[0], quick[0]) == ("track.recv()", "ballstream.receive")
    assert float(stock[1]) > float(quick[1]) > 0


def test_the_example_of_a_detector_s_author(installed: dict[str, str], tmp_path: Path) -> None:
    pytest_here = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, *pytest_here, "-c", os.devnull, EXAMPLES / "test_detector.py"],
        env=installed, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "1 passed" in done.stdout, done.stdout
