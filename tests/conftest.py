"""A look for what a test leaves behind."""

import gc
import inspect
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from needs import need


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        need(*mark.args)


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    return tmp_path / "socket"


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
            if not thread.name.startswith("asyncio_")  # the event loop's own, which end with it
        },
        "processes": {str(child.pid) for child in me.children()},
        "sockets": {
            f"{connection.laddr}" for connection in me.net_connections("inet") if connection.laddr
        },
    }
