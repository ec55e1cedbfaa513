import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from programs import run


def command(name: str, *flags: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name(f"ballstream-{name}"), *flags],
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["server", "client"])
def test_help_says_every_flag_with_its_default(name: str) -> None:
    done = command(name, "--help")
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    for flag, default in {
        "--signaling": "tcp-socket",
        "--signaling-host": "127.0.0.1",
        "--signaling-port": "1234",
        "--signaling-path": "ballstream.socket",
        "--duration": "until Ctrl-C",
        **(
            {
                "--size": "640x480",
                "--fps": "30",
                "--radius": "20",
                "--speed": "280",
                "--codec": "VP8",
            }
            if name == "server"
            else {"--detector": "centroid", "--wait": "10"}
        ),
    }.items():
        described = text[text.index(f"{flag} ") :]
        assert default in described[: described.index("]", described.index("default:"))]


def test_version() -> None:
    assert command("server", "--version").stdout.startswith("ballstream-server, version ")


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (("server", "--size", "640"), "not a size like 640x480"),
        (("server", "--size", "641x480"), "must be even"),
        (("server", "--size", "10x10"), "not between 160x120 and 1920x1080"),
        (("server", "--fps", "0"), "--fps"),
        (("server", "--fps", "nan"), "finite"),
        (("server", "--fps", "121"), "--fps"),
        (("server", "--speed", "inf"), "--speed"),
        (("server", "--radius", "3"), "--radius"),
        (("server", "--radius", "300"), "does not fit"),
        (("server", "--bitrate", "500"), "not between 200k and 20M"),
        (("server", "--bitrate", "lots"), "800k"),
        (("server", "--codec", "AV1"), "--codec"),
        (("server", "--frame-codec", "raw"), "choose a smaller --size"),
        (("server", "--quality", "101"), "--quality"),
        (("client", "--transport", "pigeon"), "--transport"),
        (("server", "--signaling-port", "70000"), "--signaling-port"),
        (("server", "--sessions", "0"), "--sessions"),
        (("server", "--duration", "-1"), "--duration"),
        (("server", "--nonsense"), "--nonsense"),
        (("server", "extra"), "extra"),
        (("client", "-s", "telepathy"), "--signaling"),
        (("client", "--wait", "nan"), "finite"),
        (("client", "--display"), "--display needs a screen"),
        (("server", "--output", "/proc/nowhere"), "--output"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(flags: tuple[str, ...], text: str) -> None:
    done = command(*flags, DISPLAY="", WAYLAND_DISPLAY="")
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ballstream-{flags[0]}: ")
    assert text in line


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (("client", "--wait", "0", "-s", "unix-socket", "--signaling-path", "/nowhere"), "--wait"),
        (("client", "--detector", "psychic"), "choose one of centroid, contour, hough"),
        (("client", "--detector", "os.path:nothing"), "os.path:nothing"),
        (("server", "-s", "unix-socket", "--signaling-path", "/nowhere/x"), "--signaling-path"),
        (("server", "--signaling-host", "203.0.113.7"), "cannot listen on 203.0.113.7:1234"),
        (("server", "--signaling-host", "no.such.host.invalid"), "another --signaling-host"),
    ],
)
def test_what_fails_while_running_is_one_line_and_status_1(
    flags: tuple[str, ...], text: str
) -> None:
    done = command(*flags)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert text in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


async def test_every_flag_has_an_environment_variable_and_the_flag_wins(tmp_path: Path) -> None:
    env = {
        "BALLSTREAM_SIGNALING": "unix-socket",
        "BALLSTREAM_SIGNALING_PATH": str(tmp_path / "socket"),
        "BALLSTREAM_SIZE": "320x240",
        "BALLSTREAM_NO_STAMP": "1",
        "BALLSTREAM_JSON": "1",
        "BALLSTREAM_FPS": "60",
        "BALLSTREAM_BITRATE": "1.5M",
        "BALLSTREAM_DURATION": "0.1",
    }
    async with run("server", "--fps", "90", env=env) as server:
        config = (await server.report())["config"]
    assert config["size"] == [320, 240]
    assert config["stamp"] is False
    assert config["fps"] == 90
    assert config["bitrate"] == 1_500_000
    assert config["signaling"]["path"] == str(tmp_path / "socket")


def test_the_json_document_of_an_idle_server(tmp_path: Path) -> None:
    flags = ("-s", "unix-socket", "--signaling-path", str(tmp_path / "s"), "--duration", "0.1")
    done = command("server", *flags, "--json")
    document = json.loads(done.stdout)
    assert set(document) == {"schema_version", "config", "environment", "sessions"}
    assert document["schema_version"] == 1
    assert document["sessions"] == []
    assert document["environment"]["aiortc"]


@pytest.mark.parametrize("name", ["VERSION", "HELP"])
def test_what_is_no_flag_of_a_run_has_no_variable(tmp_path: Path, name: str) -> None:
    flags = ("-s", "unix-socket", "--signaling-path", str(tmp_path / "s"), "--duration", "0.1")
    done = command("server", *flags, "--json", **{f"BALLSTREAM_{name}": "0.1"})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sessions"] == []


def test_that_nobody_reads_standard_error_is_no_reason_to_stop(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    flags = ("-s", "unix-socket", "--signaling-path", str(tmp_path / "s"), "--duration", "0.1")
    done = subprocess.run(
        [Path(sys.executable).with_name("ballstream-server"), *flags, "--json"],
        stdout=subprocess.PIPE,
        stderr=writing,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 0
    assert json.loads(done.stdout)["sessions"] == []


@pytest.mark.parametrize("token", ["", "two words", "line\nfeed", "sésame"])
def test_a_token_must_fit_into_a_header(token: str) -> None:
    done = command("server", "-s", "whep", "--token", token)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "without spaces" in done.stderr
