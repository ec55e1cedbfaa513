"""The feed of the page: lines of JSON, for as long as somebody reads."""

import asyncio
import json

import aiohttp
from programs import run, soon
from whep import serving_http


async def test_the_scene_then_the_clients() -> None:
    async with (
        serving_http("--size", "320x240", "--radius", "12") as served,
        served.http.get(f"{served.url}feed") as response,
    ):
        scene = json.loads(await soon(response.content.readline()))
        assert scene["type"] == "scene"
        assert (scene["width"], scene["height"], scene["radius"]) == (320, 240, 12)
        assert scene["motion"]["horizontal"]["low"] == 11.5
        assert json.loads(await soon(response.content.readline()))["rows"] == []
        async with run("client", "-s", "whep", "--url", served.whep, "--duration", "3"):
            async with asyncio.timeout(20):
                while True:
                    rows = json.loads(await response.content.readline())["rows"]
                    if rows and rows[0]["now_latency_ms"] and rows[0]["latency_ms"]:
                        break
        assert rows[0]["client"] == 1
        assert rows[0]["transport"] == "track"
        assert rows[0]["passive"] is False
        assert 0 < rows[0]["now_detection_error_px"] < 0.5


async def test_a_reader_too_many_is_told_so() -> None:
    async with serving_http("--token", "sesame") as served:
        headers = {"Authorization": "Bearer sesame"}
        readers: list[aiohttp.ClientResponse] = []
        refused = 0
        while not refused and len(readers) < 100:
            reader = await served.http.get(f"{served.url}feed", headers=headers)
            readers.append(reader)
            refused += reader.status in (429, 503)
        assert len(readers) > 20
        for reader in readers:
            reader.close()
        async with run("client", "-s", "whep", "--url", served.whep, "--token", "wrong") as client:
            status, _ = await client.ends()
        assert status == 1
        assert "--token" in client.errors or "too many" in client.errors
