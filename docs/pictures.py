"""Make the pictures of the README from a real run: the page, the terminal, the report.

Needs Chromium, found on the PATH, and the development tools: `make pictures`.
"""

import asyncio
import html
import os
import pty
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pyte
from playwright.async_api import Browser, async_playwright

PICTURES = Path(__file__).with_name("pictures")
ADDRESS = "127.0.0.1:8123"
COLUMNS, LINES = 100, 14
SECONDS = 20

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
        server = ("-s", "whep", "--http", ADDRESS, "--output", str(output))
        async with (
            running("server", *server, errors=screen.slave),
            running("client", "-s", "whep", "--url", f"http://{ADDRESS}/whep"),
        ):
            await picture_page(browser)
            terminal = screen.text
        screen.close()
        await picture_terminal(browser, terminal)
        await picture_report(browser, output / "report.html")
        await browser.close()


async def picture_page(browser: Browser) -> None:
    page = await browser.new_page(viewport={"width": 1100, "height": 1000})
    for _ in range(100):  # until the server listens
        try:
            await page.goto(f"http://{ADDRESS}/")
            break
        except Exception:
            await asyncio.sleep(0.1)
    await page.wait_for_selector("[data-state=playing]")
    await asyncio.sleep(SECONDS)
    await page.screenshot(path=PICTURES / "page.png", full_page=True)
    # The page stays open until the terminal is read.


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
