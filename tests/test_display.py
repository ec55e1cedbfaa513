"""`--display` on a real X server."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import needs
import pytest
from programs import run, soon

pytestmark = needs.screen


@asynccontextmanager
async def screen() -> AsyncIterator[str]:
    """An X server of its own; its DISPLAY."""
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        "Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp",
        pass_fds=(writing,), stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    with os.fdopen(reading) as file:
        number = await soon(asyncio.to_thread(file.readline))
    try:
        yield f":{number.strip()}"
    finally:
        process.terminate()
        await soon(process.wait())


async def xdotool(display: str, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "xdotool", *words,
        env={**os.environ, "DISPLAY": display},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    output, _ = await soon(process.communicate())
    return str(output.decode())


async def press_q(display: str, window: str) -> None:
    await xdotool(display, "windowfocus", window, "key", "q")


async def click_on_close(display: str, window: str) -> None:
    helper = Path(__file__).with_name("close_window.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, helper, window, env={**os.environ, "DISPLAY": display}
    )
    assert await soon(process.wait()) == 0


@pytest.mark.parametrize("close", [press_q, click_on_close])
async def test_the_window_shows_up_and_closing_it_ends_the_client(
    socket_path: Path, close: Callable[[str, str], Awaitable[None]]
) -> None:
    flags = ("-s", "unix-socket", "--signaling-path", str(socket_path))
    async with screen() as display:
        env = {"DISPLAY": display}
        async with (
            run("server", *flags) as server,
            run("client", *flags, "--display", env=env) as client,
        ):
            await client.says("frames")
            windows = await xdotool(
                display, "search", "--sync", "--onlyvisible", "--name", "^ballstream$"
            )
            await close(display, windows.split()[0])
            status, summary = await client.ends()
            assert status == 0, client.errors
            assert "the window was closed" in client.errors
            assert "estimates sent" in summary
            server.send_signal(signal.SIGTERM)
            await server.ends()


async def test_a_screen_that_cannot_be_reached_is_one_line(socket_path: Path) -> None:
    flags = ("-s", "unix-socket", "--signaling-path", str(socket_path), "--display")
    async with run("client", *flags, env={"DISPLAY": ":4242"}) as client:
        status, _ = await client.ends()
    assert status == 1
    assert "DISPLAY" in client.errors.splitlines()[-1]
