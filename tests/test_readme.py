"""What the README shows must work as it stands there."""

import asyncio
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import browsing
from programs import soon

import ballstream
from ballstream.config import Address, SignalingMethod
from ballstream.protocol.planes import i420_shape, planes_of_i420
from ballstream.protocol.stamp import ROWS
from ballstream.report.observers import Watched
from ballstream.scene.render import draw_ball
from ballstream.scoring.score import Result, Verdict
from ballstream.vision.loading import load_detector

README = (Path(__file__).parents[1] / "README.md").read_text()
Picture = np.ndarray[Any, np.dtype[np.uint8]]
FREE = ballstream.Web(address=Address("127.0.0.1", 0))
WHEP = "http://127.0.0.1:8080/whep"


def shown(language: str, beginning: str) -> str:
    """The one block of code in a language that begins like this."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (block,) = (each for each in blocks if each.startswith(beginning))
    return str(block)


def find(picture: Picture) -> tuple[float, float]:
    """The ball, in what OpenCV's users call a picture."""
    rows, columns = (picture[:-ROWS, :, 0] > 100).nonzero()
    return float(columns.mean()), float(rows.mean())


@pytest.fixture
def my_detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The README's detector, as a file in the current folder."""
    (tmp_path / "my_detector.py").write_text(shown("python", "# my_detector.py\n"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("my_detector", None)


def test_the_detector_finds_the_ball(my_detector: Path) -> None:
    detect = load_detector("my_detector:detect")
    i420 = np.empty(i420_shape(640, 480), np.uint8)
    draw_ball(planes_of_i420(i420), (123.4, 234.5), 20)
    assert detect(ballstream.Picture(i420)) == pytest.approx((123.4, 234.5), abs=0.5)
    i420[:480], i420[480:] = 16, 128
    assert detect(ballstream.Picture(i420)) is None


def test_how_exact_it_is_can_be_asked(my_detector: Path) -> None:
    (line,) = (line for line in README.splitlines() if "ballstream.evaluate(" in line)
    _, *arguments = shlex.split(line)
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    assert re.fullmatch(r"Statistics\(n=270, mean=0\..*\)\n", done.stdout)


class Verdicts(ballstream.Observer):
    """What the server makes of each estimate, as it comes."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Verdict] = asyncio.Queue()

    def verdict(self, session: Watched, at: float, verdict: Verdict) -> None:
        self.queue.put_nowait(verdict)


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[str, asyncio.Queue[Verdict]]]:
    """A server's WHEP endpoint, and the verdicts on what comes there."""
    verdicts = Verdicts()
    signaling = ballstream.Signaling(SignalingMethod.WHEP)
    async with ballstream.Server(
        ballstream.ServerConfig(signaling=signaling, web=FREE), [verdicts]
    ) as server:
        yield server.address, verdicts.queue


async def test_a_browser_is_a_client_in_a_few_lines() -> None:
    program = shown("js", "const peer")
    async with serving() as (whep, verdicts), browsing() as browser:
        page = await browser.new_page()
        await page.goto(whep.removesuffix("whep") + "healthz")  # a page of that origin
        await page.evaluate(f"async () => {{ {program} globalThis.kept = peer; }}")
        while (verdict := await soon(verdicts.get())).result is not Result.ANSWERED:
            pass  # from before the first frame
    assert (verdict.frame, verdict.x, verdict.y) == (None, 321.4, 200.1)


async def test_a_program_of_one_s_own_is_a_client_in_six_lines() -> None:
    program = shown("python", "import ballstream\n")
    assert len(program.replace("\n\n", "\n").splitlines()) <= 6
    names: dict[str, Any] = {"find": find}
    async with serving() as (whep, verdicts):
        body = textwrap.indent(program.replace(WHEP, whep), "    ")
        exec(f"async def main():\n{body}", names)  # noqa: S102 - the project's own page
        watching = asyncio.create_task(names["main"]())
        while (verdict := await soon(verdicts.get())).detection_error_px is None:
            pass
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert verdict.detection_error_px < 1
