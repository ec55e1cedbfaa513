"""The ways that frames go in a browser: which is taken, and what happens where one fails."""

import json
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import needs
import pytest
from aioice.ice import get_host_addresses
from browser import fresh
from origin import serving_folder
from playwright.async_api import Browser, Page, Route, expect
from programs import soon
from tabs import opened_tab
from whep import SMALL, Served, serving_http

pytestmark = pytest.mark.asyncio(loop_scope="module")


EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

PLAYING = "document.getElementById('state').dataset.state === 'playing'"
SEEN = "Number(document.getElementById('seen').value)"
UNTIL = """new Promise((resolve) => {
  const check = () => (%s) ? resolve() : requestIdleCallback(check, { timeout: 100 });
  check();
})"""

REFUSALS = {
    "this browser has no MediaStreamTrackProcessor": "delete window.MediaStreamTrackProcessor",
    "no worker can be started: not today": """
        window.Worker = class { constructor() { throw new Error("not today"); } }""",
    "cannot be moved to a worker: not today": """
        const post = Worker.prototype.postMessage;
        Worker.prototype.postMessage = function (message, moved = []) {
          if (moved.some((each) => each instanceof RTCDataChannel)) {
            throw new DOMException("not today", "DataCloneError");
          }
          post.call(this, message, moved);
        }""",
    "cannot be moved to a worker: no processor today": """
        window.MediaStreamTrackProcessor = class {
          constructor() { throw new Error("no processor today"); }
        }""",
    "the worker failed: frames of the format": """
        window.MediaStreamTrackProcessor = class {
          readable = new ReadableStream({
            pull: (frames) => frames.enqueue(
              new VideoFrame(new Uint8Array(48), {
                format: "I444", codedWidth: 4, codedHeight: 4, timestamp: 0,
              })
            ),
          }, { highWaterMark: 0 });
        }""",
    "the worker failed: the track has ended": """
        window.MediaStreamTrackProcessor = class {
          readable = new ReadableStream({ start: (frames) => frames.close() });
        }""",
    "the worker failed: halfway": """
        const Own = MediaStreamTrackProcessor;
        window.MediaStreamTrackProcessor = class {
          constructor(init) {
            let left = 20;
            const transform = (frame, frames) => {
              if (left-- > 0) return frames.enqueue(frame);
              frame.close();
              throw new Error("halfway");
            };
            this.readable = new Own(init).readable.pipeThrough(new TransformStream({ transform }));
          }
        }""",
    "the processor gives no frames": """
        window.MediaStreamTrackProcessor = class { readable = new ReadableStream(); }""",
}


async def plays(page: Page) -> str:
    """Wait until the page plays; what it says of the path that it takes."""
    await page.wait_for_selector("[data-state=playing]", timeout=30_000)
    return await page.locator("#path").inner_text()


async def test_the_faster_path_is_taken_unless_another_is_asked_for(
    page: Page, served: Served
) -> None:
    await page.goto(served.url)
    said = "Frames are read in a worker, as they are decoded (MediaStreamTrackProcessor)"
    assert await plays(page) == said
    await page.goto(f"{served.url}?path=callback")
    said = "Frames are read on the page, as they are shown (requestVideoFrameCallback)"
    assert await plays(page) == said


@pytest.mark.parametrize("reason", REFUSALS)
async def test_the_page_falls_back_by_itself_and_says_why(
    page: Page, served: Served, reason: str
) -> None:
    await page.add_init_script(REFUSALS[reason])
    await page.goto(served.url)
    # Where it fails on the way, the page plays by that path first.
    said = re.compile(f"^Frames are read on the page.*{re.escape(reason)}")
    await expect(page.locator("#path")).to_have_text(said, timeout=30_000)
    await expect(page.locator("#error")).to_have_text(re.compile(r"\d"))


@pytest.mark.parametrize("path", ["processor", "callback"])
async def test_no_path_needs_tls(browser: Browser, path: str) -> None:
    addresses = get_host_addresses(use_ipv4=True, use_ipv6=False)
    needs.need(addresses, "an address that is not loopback")
    flags = ("--http", f"{addresses[0]}:0", "--insecure")
    async with serving_http(*flags) as served, fresh(browser) as page:
        await page.goto(f"{served.url}?path={path}")
        assert ":" not in await plays(page), "it was not taken for want of another"
        assert not await page.evaluate("isSecureContext")


ANSWERED = """
    const set = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function (answer) {
      window.answer = answer.sdp;
      return set.call(this, answer);
    }"""


async def test_it_is_told_to_show_each_frame_at_once(page: Page, served: Served) -> None:
    await page.add_init_script(ANSWERED)
    await page.goto(served.url)
    await plays(page)
    answer = await page.evaluate("answer")
    assert re.search(r"^a=extmap:\d+ \S+/playout-delay\r$", answer, re.MULTILINE)


@pytest.mark.parametrize("body", ["", "throw new Error('not today');", "gone", None])
async def test_a_worker_that_does_not_start_is_done_without(
    browser: Browser, body: str | None
) -> None:
    async def give(route: Route) -> None:
        if body is None:
            await route.abort()
        elif body == "gone":
            await route.fulfill(status=404)
        else:
            await route.fulfill(body=body, content_type="text/javascript")

    async with serving_http(*SMALL) as served, fresh(browser) as page:
        await page.route("**/worker.js", give)
        await page.goto(served.url)
        assert "the worker did not start" in await plays(page)


async def test_a_tab_in_the_background_goes_on_answering() -> None:
    async with serving_http(*SMALL) as served, opened_tab(served.url) as left:
        await left.evaluate(UNTIL % PLAYING)
        await left.leave()
        await left.evaluate(UNTIL % "document.hidden")
        async with served.http.get(f"{served.url}feed") as feed:
            await soon(feed.content.readline())
            first = json.loads(await soon(feed.content.readline()))["rows"][0]
            row = first
            while row["frames_sent"] < first["frames_sent"] + 120:
                row = json.loads(await soon(feed.content.readline()))["rows"][0]
        assert await left.evaluate("document.hidden")
    sent, answered = (row[each] - first[each] for each in ("frames_sent", "frames_answered"))
    assert answered >= 0.9 * sent


MODULE = """async (path) => {
  const { connect } = await import("/ballstream.js");
  const sent = [];
  const send = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function (text) {
    sent.push(JSON.parse(text));
    send.call(this, text);
  };
  const frames = [];
  const told = Promise.withResolvers();
  const session = await connect({
    url: "/whep",
    path,
    onFrame: (frame) => frames.push(frame),
    onFeedback: (feedback) => feedback.detection_error_px !== null && told.resolve(feedback),
  });
  const feedback = await told.promise;
  session.close();
  const [frame, last] = [frames.at(-1), sent.at(-1)];
  return { path: session.path, frame, feedback, sent: last, closed: await session.closed };
}"""


@pytest.mark.parametrize("path", ["processor", "callback"])
async def test_the_module_needs_no_video_element(browser: Browser, path: str) -> None:
    async with serving_http(*SMALL) as served, fresh(browser) as page:
        await page.route("**/mine", lambda route: route.fulfill(body="", content_type="text/html"))
        await page.goto(f"{served.url}mine")
        got: dict[str, Any] = await soon(page.evaluate(MODULE, path))
        await served.program.says("client 1 is gone: the client said goodbye")
    assert got["path"] == path
    assert got["closed"] is None
    assert (got["frame"]["width"], got["frame"]["height"]) == (320, 240)
    assert got["frame"]["number"] is not None
    assert got["frame"]["found"].keys() == {"x", "y"}
    assert got["feedback"]["detection_error_px"] < 0.1
    if path == "callback":  # else it was the worker that sent
        assert got["sent"]["type"] == "estimate"
        assert got["sent"]["client_ms"] >= got["sent"]["detect_ms"]


async def test_the_example_brings_its_own_detector_from_another_origin(browser: Browser) -> None:
    script = (
        (EXAMPLES / "client.html").read_text().partition("<script")[2].partition("</script>")[0]
    )
    assert len(script.splitlines()[1:]) <= 15
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(serving_folder(EXAMPLES))
        served = await stack.enter_async_context(serving_http(*SMALL, "--allow-origin", origin))
        page = await stack.enter_async_context(fresh(browser))
        await page.goto(f"{origin}/client.html?server={served.url}")
        await expect(page.locator("#feedback")).to_contain_text('"detection_error_px":')
        await expect(page.locator("#found")).to_contain_text('{"x":')
        assert any(worker.url.startswith("blob:") for worker in page.workers)


async def test_a_detector_that_fails_finds_nothing_and_is_named_once(browser: Browser) -> None:
    complaints = []
    async with serving_http(*SMALL) as served, fresh(browser) as page:
        page.on("console", lambda message: complaints.append(message.text))
        await give_detector(page, "export const detect = () => { throw new Error('no idea'); };")
        await page.goto(served.url)
        await plays(page)
        await soon(page.evaluate(UNTIL % f"{SEEN} > 30"))
    (said,) = [each for each in complaints if "detector" in each]
    assert said.startswith("the detector failed: Error: no idea")


async def give_detector(page: Page, body: str) -> None:
    """Let the page have another detector than its own."""
    await page.route(
        "**/detect.js",
        lambda route: route.fulfill(body=body, content_type="text/javascript"),
    )


@pytest.mark.parametrize("path", ["processor", "callback"])
async def test_a_promise_that_a_detector_does_not_keep_is_not_waited_for(
    page: Page, served: Served, path: str
) -> None:
    await give_detector(page, "export const detect = () => new Promise(() => {});")
    async with page.expect_console_message(lambda message: "detector" in message.text) as said:
        await page.goto(f"{served.url}?path={path}")
    await plays(page)
    assert "Error: no answer within 2000 ms" in (await said.value).text
    await expect(page.locator("#answered")).not_to_have_text("0")


async def test_a_detector_that_does_not_return_is_named(page: Page, served: Served) -> None:
    await give_detector(page, "export const detect = () => { for (;;); };")
    await page.goto(served.url)
    said = "Connection lost: the detector does not return. Trying again in 1 s"
    await expect(page.locator("#status")).to_have_text(said, timeout=20_000)


@pytest.mark.parametrize("path", ["processor", "callback"])
async def test_a_detector_that_cannot_be_loaded_is_named(
    page: Page, served: Served, path: str
) -> None:
    await give_detector(page, "throw new Error('no model');")
    await page.goto(f"{served.url}?path={path}")
    said = "Connection lost: no model. Trying again in 1 s"
    await expect(page.locator("#status")).to_have_text(said)


THROWING = """async () => {
  const { connect } = await import("/ballstream.js");
  const errors = [];
  addEventListener("error", (event) => {
    event.preventDefault();
    errors.push(event.message);
  });
  let heard;
  const feedback = new Promise((resolve) => (heard = resolve));
  const onFrame = () => {
    throw new Error("a handler's");
  };
  const session = await connect({ url: "/whep", onFrame, onFeedback: heard });
  await feedback;
  session.close();
  return [await session.closed, errors[0]];
}"""


async def test_a_handler_that_throws_ends_nothing(page: Page, served: Served) -> None:
    await page.goto(f"{served.url}icon.svg")
    assert await soon(page.evaluate(THROWING)) == [None, "Uncaught Error: a handler's"]


FORMATS = """async () => {
  const { FrameReader } = await import("/picture.js");
  const { detect } = await import("/detect.js");
  const [width, height] = [66, 66];
  const ball = (x, y) => (x - 30.5) ** 2 + (y - 22.5) ** 2 < 100;
  const y = new Uint8Array(width * height).fill(100), half = (width / 2) * (height / 2);
  const u = new Uint8Array(half).fill(128), v = new Uint8Array(half).fill(128);
  const rgb = new Uint8Array(4 * width * height).fill(20);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (!ball(column, row)) continue;
      u[(row >> 1) * (width / 2) + (column >> 1)] = 240;
      rgb[4 * (row * width + column) + 2] = 255;
    }
  }
  const pairs = Uint8Array.from({ length: 2 * half }, (_, i) => (i % 2 ? v : u)[i >> 1]);
  const swapped = rgb.map((_, i) => rgb[i ^ (i % 2 ? 0 : 2)]);
  const pixels = { RGBA: rgb, RGBX: rgb, BGRA: swapped, BGRX: swapped };
  const bytes = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));
  const all = {
    I420: bytes(y, u, v), I420A: bytes(y, u, v, y), NV12: bytes(y, pairs), ...pixels,
  };
  const reader = new FrameReader();
  const found = {};
  for (const [format, data] of Object.entries(all)) {
    const size = { codedWidth: width, codedHeight: height };
    const picture = await reader.read(new VideoFrame(data, { format, ...size, timestamp: 0 }));
    const planes = [picture.y.length, picture.u.length, picture.v.length];
    found[format] = { ...detect(picture), planes };
  }
  return found;
}"""


async def test_frames_of_all_formats_hold_the_same_picture(page: Page, served: Served) -> None:
    await page.goto(f"{served.url}icon.svg")
    found = await page.evaluate(FORMATS)
    assert found.keys() == {"I420", "I420A", "NV12", "RGBA", "RGBX", "BGRA", "BGRX"}
    for name, each in found.items():
        assert each["planes"] == [66 * 66, 33 * 33, 33 * 33], name
        assert each["x"] == pytest.approx(30.5, abs=0.02), name
        assert each["y"] == pytest.approx(22.5, abs=0.02), name
