"""Make the pictures of README and docs from a real run: the page at work, the terminal, the report.

Needs Chromium, found on the PATH, and the development tools: `make pictures`.
"""

import asyncio
import html
import io
import os
import pty
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pyte
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

PICTURES = Path(__file__).with_name("pictures")
ADDRESS = "127.0.0.1:8123"
COLUMNS, LINES = 120, 14
BEFORE, BOTH, ALONE = 25.0, 5.0, 6.0
"""Seconds before the page is filmed, of film with both clients, and after one was stopped."""

FILM_PERIOD = 0.15
FILM_WIDTH = 820
FILM_BYTES = 1_500_000
FILM_PLACE = {"x": 0, "y": 0, "width": 1100, "height": 720}
FILM_LAYOUT = """
body { max-width: none; padding: 0.75rem 1.5rem; }
header p { display: none; }
main { display: grid; grid-template-columns: 25rem 1fr; gap: 0 1.5rem; }
main > .state, main > section:last-of-type { grid-column: 1 / -1; }
main > .state { margin: 0.5rem 0; }
section h2, main > section:last-of-type h2 { margin: 0.25rem 0; }
.live { grid-template-columns: 1fr; gap: 0.5rem; }
.figures { grid-template-columns: 1fr 1fr; gap: 0.5rem; }
.figures div { display: flex; justify-content: space-between; align-items: baseline; }
.figures div { padding: 0.2rem 0.7rem; }
.figures dt, .figures dd { white-space: nowrap; }
.figures dt { font-size: 0.75rem; }
.figures dd { font-size: 0.95rem; }
.plots { grid-template-columns: 1fr; gap: 0.25rem; }
.plots figcaption { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.plot { height: 9.2rem; }
.plots figure:has(#histogram-plot), #pause, #download, dd small { display: none; }
.live, .figures { align-content: start; }
th, td { padding: 0.15rem 0.7rem; }
"""
"""All of the page in little room, side by side."""

FILM_SPEED = 140
"""Of the ball in px/s: a screenshot may have the marks one picture behind the video."""


_TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #14161b; }
pre { display: inline-block; margin: 0; padding: 18px 22px; color: #dfe3ea;
      font: 15px/1.35 "DejaVu Sans Mono", monospace; }
</style><pre>"""


class Screen:
    """What a program shows on a terminal of its own."""

    def __init__(self) -> None:
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)
        self._master, self.slave = pty.openpty()
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def _read(self) -> None:
        self._stream.feed(os.read(self._master, 65536))

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self.slave)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display).strip("\n")


@asynccontextmanager
async def running(
    name: str, *flags: str, errors: int = asyncio.subprocess.DEVNULL
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name(f"ballstream-{name}"),
        *flags,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=errors,
        env={**os.environ, "COLUMNS": str(COLUMNS), "LINES": str(LINES), "TERM": "xterm-256color"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def take(output: Path) -> None:
    """Run server, client and page; leave the pictures."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        sys.exit("pictures need Chromium: sudo apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        screen = Screen()
        server = (
            "-s",
            "whep",
            "--http",
            ADDRESS,
            "--output",
            str(output),
            "--speed",
            str(FILM_SPEED),
        )
        async with (
            running("server", *server, errors=screen.slave),
            running(
                "client", "-s", "whep", "--url", f"http://{ADDRESS}/whep", "--name", "laptop"
            ) as client,
        ):
            page = await open_page(browser)
            await asyncio.sleep(BEFORE)
            terminal = screen.text
            film = await filmed(page, BOTH)
            client.send_signal(signal.SIGTERM)
            film += await filmed(page, ALONE)
            await page.close()
        screen.close()
        save_film(film)
        await picture_terminal(browser, terminal)
        await picture_report(browser, output / "report.html")
        await browser.close()


async def open_page(browser: Browser) -> Page:
    size = {"width": FILM_PLACE["width"], "height": 1000}
    page = await browser.new_page(viewport=size)  # type: ignore[arg-type]
    for _ in range(100):  # until the server listens
        try:
            await page.goto(f"http://{ADDRESS}/")
            break
        except Exception:
            await asyncio.sleep(0.1)
    await page.add_style_tag(content=FILM_LAYOUT)
    await page.evaluate("() => window.dispatchEvent(new Event('resize'))")
    await page.wait_for_selector("[data-state=playing]")
    return page


async def filmed(page: Page, seconds: float) -> list[tuple[float, Image.Image]]:
    """The page every now and then, with the instants."""
    film = []
    begun = time.monotonic()
    while (now := time.monotonic()) < begun + seconds:
        shot = await page.screenshot(clip=FILM_PLACE)  # type: ignore[arg-type]
        film.append((now, Image.open(io.BytesIO(shot)).convert("RGB")))
        await asyncio.sleep(max(0.0, now + FILM_PERIOD - time.monotonic()))
    return film


def save_film(film: list[tuple[float, Image.Image]]) -> None:
    """Write it as an animation that runs as quickly as what it shows did."""
    instants = [at for at, _ in film]
    durations = [round(1e3 * (b - a)) for a, b in pairwise(instants)]
    height = FILM_PLACE["height"] * FILM_WIDTH // FILM_PLACE["width"]
    first, *others = (
        each.resize((FILM_WIDTH, height), Image.Resampling.LANCZOS) for _, each in film
    )
    file = PICTURES / "page.webp"
    first.save(
        file, save_all=True, append_images=others, duration=[*durations, 1500], loop=0, quality=70,
        method=4,
    )  # fmt: skip
    if (size := file.stat().st_size) > FILM_BYTES:
        sys.exit(f"{file} has {size} bytes, more than {FILM_BYTES}")


async def picture_terminal(browser: Browser, text: str) -> None:
    page = await browser.new_page(device_scale_factor=1.5)
    await page.set_content(f"{_TERMINAL}{html.escape(text)}")
    await page.locator("pre").screenshot(path=PICTURES / "terminal.png")


async def picture_report(browser: Browser, report: Path) -> None:
    page = await browser.new_page(viewport={"width": 1100, "height": 1000})
    await page.goto(report.as_uri())
    await page.wait_for_selector(".js-line, .point")
    await page.screenshot(path=PICTURES / "report.png")


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(take(Path(folder)))


if __name__ == "__main__":
    main()
