"""The order of the tests, what they share, and a look for what one leaves behind."""

import gc
import inspect
import os
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
import pytest_asyncio
from needs import need

if TYPE_CHECKING:
    from playwright.async_api import Browser

# No test multiplies matrices: threads for that cost each program a quarter of its start.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest first: browsers, other programs, then all that is done in here."""
    items.sort(key=_haste)


def _haste(item: pytest.Item) -> int:
    names = vars(inspect.getmodule(item.function)) if isinstance(item, pytest.Function) else {}
    return (
        0 if names.keys() & {"Browser", "browsing"} else 1 if names.keys() & {"run", "soon"} else 2
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        need(*mark.args)


def pytest_collection_finish() -> None:
    """Leave all modules and tests out of what `nothing_left_behind` has to go through."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    return tmp_path / "socket"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> "AsyncIterator[Browser]":
    """One browser for all tests of a file, which have their loop in common."""
    from browser import browsing  # not everything that is tested needs Playwright

    async with browsing() as browser:
        yield browser


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail an asynchronous test that leaves a thread, process or socket behind."""
    if not inspect.iscoroutinefunction(request.function):
        yield
        return
    before = _resources()
    yield
    gc.collect()
    left = {kind: sorted(now - before[kind]) for kind, now in _resources().items()}
    assert not any(left.values()), f"left behind: {left}"


def _resources() -> dict[str, set[str]]:
    me = psutil.Process()
    return {
        "threads": {
            f"{thread.name} {thread.ident}"
            for thread in threading.enumerate()
            # The event loop's own, which end with it, or soon after the process that they wait for.
            if not thread.name.startswith(("asyncio_", "asyncio-waitpid-"))
        },
        "processes": {str(child.pid) for child in me.children()},
        "sockets": {
            f"{connection.laddr}" for connection in me.net_connections("inet") if connection.laddr
        },
    }
