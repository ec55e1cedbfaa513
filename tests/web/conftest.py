"""What the tests of the page have in common, those of a file one browser and one server."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest_asyncio
from whep import SMALL, Served, serving_http

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncIterator[Served]:
    """A server for all tests that ask nothing special of one."""
    async with serving_http(*SMALL) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: "Browser") -> "AsyncIterator[Page]":
    """An empty page that shares nothing with others."""
    from browser import fresh  # not everything that is tested needs Playwright

    async with fresh(browser) as page:
        yield page
