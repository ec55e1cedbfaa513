import json
import logging
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from programs import run

from ballstream.bench.scenarios import SCENARIOS, Scenario
from ballstream.commands import cli
from ballstream.config import ClientConfig, Secret, ServerConfig, Signaling, SignalingMethod
from ballstream.config.flag import flags_of
from ballstream.impairment import Impairment, parse_plan
from ballstream.impairment.presets import PRESETS


@dataclass(frozen=True)
class Done:
    """What a command said, and its exit status."""

    status: int
    output: str
    errors: str


Command = Callable[..., Done]


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Runs a command in this process: its name, its flags, its variables."""
    for name in list(os.environ):
        if name.startswith("BALLSTREAM_"):
            monkeypatch.delenv(name)
    level = logging.getLogger().level

    def invoke(name: str, *flags: str, **env: str) -> Done:
        for variable, value in env.items():
            monkeypatch.setenv(variable, value)
        with pytest.raises(SystemExit) as ended:
            getattr(cli, name)(flags)
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, said.out, said.err)

    yield invoke
    logging.getLogger().setLevel(level)


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch, command: Command) -> Callable[..., object]:
    """Reads flags and variables as a command does; the configuration that it would run with."""
    seen: list[object] = []

    def keep(config: object) -> int:
        seen.append(config)
        return 0

    monkeypatch.setattr("ballstream.commands.run.run_server", keep)
    monkeypatch.setattr("ballstream.commands.run.run_client", keep)

    def read(name: str, *flags: str, **env: str) -> object:
        done = command(name, *flags, **env)
        assert done == Done(0, "", ""), done
        return seen.pop()

    return read


def process(name: str, *flags: str, **env: str) -> subprocess.CompletedProcess[str]:
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
def test_help_says_every_flag_with_its_default(command: Command, name: str) -> None:
    done = command(name, "--help")
    assert done.status == 0
    assert done.errors == ""
    text = " ".join(done.output.split())
    for flag, default in {
        "--signaling": "tcp-socket",
        "--signaling-host": "127.0.0.1",
        "--signaling-port": "1234",
        "--signaling-path": "ballstream.socket",
        "--duration": "until Ctrl-C",
        "--token": "none",
        "--impair": "none",
        "--impair-down": "none",
        "--impair-up": "none",
        "--impair-seed": "0",
        **(
            {
                "--size": "640x480",
                "--fps": "30",
                "--radius": "20",
                "--speed": "280",
                "--codec": "VP8",
                "--frame-codec": "png",
                "--bitrate": "1M",
                "--no-stamp": "off",
                "--http": "127.0.0.1:8080 with -s whep, else none",
                "--allow-origin": "none",
                "--sessions": "no limit",
                "--max-sessions": "32",
            }
            if name == "server"
            else {
                "--detector": "centroid",
                "--wait": "10",
                "--transport": "track",
                "--url": "http://127.0.0.1:8080/whep",
                "--name": "none",
            }
        ),
    }.items():
        described = text[text.index(f"{flag} ") :]
        assert default in described[: described.index("]", described.index("default:"))]


@pytest.mark.parametrize("name", ["server", "client", "bench"])
def test_help_shows_a_default_for_each_flag(command: Command, name: str) -> None:
    text = command(name, "--help").output
    flags = getattr(cli, f"{name}_command")().params
    assert text.count("[default: ") + text.count("[default:\n") == len(flags) - 2  # version, help
    assert all(f"{flag.opts[-1]} " in text for flag in flags)


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("server", ["Signalling", "Scene", "Video", "Network", "Web", "Run", "Output", "Other"]),
        ("client", ["Signalling", "Video", "Detector", "Network", "Web", "Run", "Output", "Other"]),
        ("bench", ["Run", "Output", "Other"]),
    ],
)
def test_help_is_in_groups(command: Command, name: str, groups: list[str]) -> None:
    lines = command(name, "-h").output.splitlines()
    assert [line[:-1] for line in lines if line.endswith(":") and line[0] != " "] == groups


@pytest.mark.parametrize("name", ["server", "client"])
def test_help_names_the_networks_and_says_that_delays_are_one_way(
    command: Command, name: str
) -> None:
    text = "".join(command(name, "--help").output.split())
    assert "Alldelaysareoneway." in text
    assert all(preset in text for preset in PRESETS)


def test_the_benchmark_names_its_scenarios_and_the_networks(command: Command) -> None:
    done = command("bench", "--list")
    assert (done.status, done.errors) == (0, "")
    for scenario in SCENARIOS.values():
        assert re.search(f"^  {scenario.name} +{re.escape(scenario.meaning)}$", done.output, re.M)
    for name, preset in PRESETS.items():
        meaning = re.escape(f"{preset.spec}: {preset.description}")
        assert re.search(f"^  {name} +{meaning}$", done.output, re.M)


@pytest.mark.parametrize("name", ["server", "client"])
def test_a_network_is_said_in_one_flag_or_two(configure: Callable[..., Any], name: str) -> None:
    lossy, slow = parse_plan("loss=2%"), parse_plan("delay=40ms; down@5s")
    assert configure(name).impairment is None
    both = configure(name, "--impair", "loss=2%", "--impair-seed", "7").impairment
    assert both == Impairment(lossy, lossy, 7)
    flags = ("--impair-down", "loss=2%", "--impair-up", "delay=40ms; down@5s")
    assert configure(name, *flags).impairment == Impairment(lossy, slow, 0)
    assert configure(name, *flags[:2]).impairment == Impairment(down=lossy)
    assert configure(name, *flags[2:]).impairment == Impairment(up=slow)
    assert configure(name, BALLSTREAM_IMPAIR="loss=2%").impairment == Impairment(lossy, lossy)


def test_version(command: Command) -> None:
    assert command("server", "--version").output.startswith("ballstream-server, version ")


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
        (("server", "--frame-codec", "jpeg", "--quality", "101"), "--quality"),
        (("client", "--transport", "pigeon"), "--transport"),
        (("server", "--signaling-port", "70000"), "--signaling-port"),
        (("server", "--sessions", "0"), "--sessions"),
        (("server", "--duration", "-1"), "--duration"),
        (("server", "--duration", "0"), "x>0"),
        (("server", "--nonsense"), "--nonsense"),
        (("server", "extra"), "extra"),
        (("server", "--http", "nowhere"), "not an address like 127.0.0.1:8080"),
        (("server", "--advertise", "nowhere"), "not an IP address"),
        (("client", "-s", "telepathy"), "--signaling"),
        (("client", "-s", "whep", "--url", "ftp://a"), "not a URL like"),
        (("client", "--wait", "nan"), "finite"),
        (("client", "--display"), "--display needs a screen"),
        (("client", "--name", 65 * "a"), "1 to 64 printable characters"),
        (("client", "--name", ""), "1 to 64 printable characters"),
        (("client", "--name", "two\nlines"), "a control character"),
        (("server", "--impair", "delay=40"), "'--impair': delay=>>40<<: 40 of what? 40ms"),
        (("client", "--impair-up", "down@1s; loss=2%"), "down@1s; >>loss=2%<<: when? loss=2%@10s"),
        (("client", "--impair", ""), "'--impair': >><<: there is delay, jitter, loss"),
        (("server", "--impair-down", "dialup"), ">>dialup<<: there is delay"),
        (("server", "--output", "/proc/nowhere"), "--output"),
        (("server", "--output", __file__), "is a file"),
        (("bench", "--scenario", "none such"), "--scenario"),
        (("bench", "--repeat", "0"), "--repeat"),
        (("server", "--signaling-host", "203.0.113.7"), "--insecure"),
        (("server", "--signaling-host", "::"), "tcp-socket on [::]:1234 can be reached"),
        (("server", "--signaling-host", "", "--token", "x", "--http", "[::1]:0"), "--insecure"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    command: Command, flags: tuple[str, ...], text: str
) -> None:
    done = command(*flags, DISPLAY="", WAYLAND_DISPLAY="")
    assert done.status == 2, done.errors
    assert done.output == ""
    (line,) = done.errors.splitlines()
    assert line.startswith(f"ballstream-{flags[0]}: ")
    assert text in line


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ("server --token x", "--token has no effect without --http or --signaling whep"),
        ("server --allow-origin https://a.example", "--allow-origin has no effect without --http"),
        (
            "server --insecure",
            "--insecure has no effect without --http, --signaling whep or a --signaling-host that "
            "is not loopback",
        ),
        (
            "server -s unix-socket --signaling-host ::1",
            "--signaling-host has no effect without --signaling tcp-socket",
        ),
        (
            "server -s whep --signaling-port 1234",
            "--signaling-port has no effect without --signaling tcp-socket",
        ),
        (
            "server --signaling-path x",
            "--signaling-path has no effect without --signaling unix-socket",
        ),
        ("server --impair wifi --impair-down wifi", "--impair-down has no effect beside --impair"),
        ("client --impair-up wifi --impair wifi", "--impair-up has no effect beside --impair"),
        (
            "client --impair-seed 3",
            "--impair-seed has no effect without --impair, --impair-down or --impair-up",
        ),
        ("server --quality 90", "--quality has no effect without --frame-codec jpeg"),
        ("server --frame-codec raw --quality 5", "--quality has no effect without --frame-codec"),
        ("server --stock --bitrate 1M", "--bitrate has no effect beside --stock"),
        ("server --stock --redundancy on", "--redundancy has no effect beside --stock"),
        ("server --relay-only --advertise ::1", "--advertise has no effect beside --relay-only"),
        (
            "server -s copy-and-paste --max-sessions 2",
            "--max-sessions has no effect without --http or another --signaling than "
            "copy-and-paste",
        ),
        ("client --url http://a.example/", "--url has no effect without --signaling whep"),
        ("client --token x", "--token has no effect without --signaling whep"),
        ("client -s whep --signaling-host x", "--signaling-host has no effect without"),
        ("client -s copy-and-paste --wait 2", "--wait has no effect beside --signaling copy-and"),
        ("client --transport datachannel --stock", "--stock has no effect without --transport tra"),
        ("bench --profile --repeat 2", "--repeat has no effect beside --profile"),
    ],
)
def test_a_flag_without_effect_is_wrong_usage(command: Command, flags: str, text: str) -> None:
    name, *rest = shlex.split(flags)
    done = command(name, *rest)
    assert done.status == 2, done.errors
    assert done.errors.startswith(f"ballstream-{name}: {text}")
    assert done.errors.endswith(f"(see ballstream-{name} --help)\n")
    assert done.output == ""


@pytest.mark.parametrize(
    "flags",
    [
        "server --http 127.0.0.1:0 --token x --allow-origin https://a.example",
        "server -s whep --token x --insecure",
        "server --signaling-host 0.0.0.0 --insecure",
        "server -s copy-and-paste --http 127.0.0.1:0 --max-sessions 2",
        "server --frame-codec jpeg --quality 5 --stock",
        "client -s whep --token x --url http://a.example/ --wait 2",
        "client -s copy-and-paste --name arm",
        "server --impair cellular --impair-seed 3",
        "server --redundancy off",
        "client --impair-up down --impair-seed 3",
        "client --transport TRACK --stock",
    ],
)
def test_a_flag_with_an_effect_is_none(configure: Callable[..., object], flags: str) -> None:
    name, *rest = shlex.split(flags)
    configure(name, *rest)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))
def test_a_scenario_has_no_flag_without_effect(
    configure: Callable[..., object], scenario: Scenario
) -> None:
    flags = ("-s", "unix-socket", "--signaling-path", "socket", "--json")
    configure("server", *flags, *scenario.server, "--max-sessions", "64")
    configure("client", *flags, *scenario.client, "--duration", "3")


def test_a_variable_without_effect_is_a_warning(
    configure: Callable[..., object], caplog: pytest.LogCaptureFixture
) -> None:
    configure("client", BALLSTREAM_TOKEN="s3same", BALLSTREAM_STOCK="0")  # noqa: S106
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == "BALLSTREAM_TOKEN has no effect without --signaling whep"


def test_a_variable_may_be_what_a_flag_needs(
    configure: Callable[..., object], caplog: pytest.LogCaptureFixture
) -> None:
    config = configure("client", "--token", "s3same", BALLSTREAM_SIGNALING="whep")
    signaling = Signaling(SignalingMethod.WHEP)
    assert config == ClientConfig(signaling=signaling, token=Secret("s3same"))
    assert caplog.records == []


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (("client", "--wait", "0", "-s", "unix-socket", "--signaling-path", "/nowhere"), "--wait"),
        (("client", "--detector", "psychic"), "choose one of centroid, contour, hough"),
        (("client", "--detector", "os.path:nothing"), "os.path:nothing"),
        (("server", "-s", "unix-socket", "--signaling-path", "/nowhere/x"), "--signaling-path"),
        (
            ("server", "--insecure", "--signaling-host", "203.0.113.7"),
            "cannot listen on 203.0.113.7:1234",
        ),
        (
            ("server", "--insecure", "--signaling-host", "no.such.host.invalid"),
            "another --signaling-host",
        ),
    ],
)
def test_what_fails_while_running_is_one_line_and_status_1(
    command: Command, flags: tuple[str, ...], text: str
) -> None:
    done = command(*flags)
    assert done.status == 1, done.errors
    assert done.output == ""
    assert text in done.errors.splitlines()[-1]
    assert "Traceback" not in done.errors


@pytest.mark.parametrize("name", ["server", "client"])
def test_without_flags_the_configuration_is_the_default(
    configure: Callable[..., object], name: str
) -> None:
    assert configure(name) == {"server": ServerConfig(), "client": ClientConfig()}[name]


VARIABLES = [
    ("server", {
        "SIGNALING_PORT": "1", "DURATION": "2", "SIZE": "320x240", "FPS": "60", "RADIUS": "5",
        "SPEED": "6", "SEED": "7", "CODEC": "h264", "BITRATE": "1.5M", "FRAME_CODEC": "jpeg",
        "QUALITY": "8", "NO_STAMP": "1", "HTTP": "[::1]:0", "SESSIONS": "9", "MAX_SESSIONS": "10",
        "INSECURE": "1", "TOKEN": "x", "ALLOW_ORIGIN": "https://a.example", "JSON": "1",
        "OUTPUT": "folder", "ICE_SERVER": "stun:a.example", "RELAY_ONLY": "1",
        "SIGNALING_HOST": "::1",
    }),
    ("server", {
        "SIGNALING": "unix-socket", "SIGNALING_PATH": "socket", "STOCK": "1", "IMPAIR": "wifi",
        "IMPAIR_SEED": "3", "ADVERTISE": "192.0.2.1",
    }),
    ("server", {
        "IMPAIR_DOWN": "loss=1%", "IMPAIR_UP": "delay=1ms", "REDUNDANCY": "off",
        "PUBLISH": "https://a.example/whip", "PUBLISH_TOKEN": "x",
    }),
    ("client", {
        "SIGNALING": "whep", "DURATION": "2", "TOKEN": "x", "URL": "https://a.example/whep",
        "TRANSPORT": "track", "STOCK": "1", "DETECTOR": "hough", "DISPLAY": "1", "WAIT": "3",
        "NAME": "arm", "ADVERTISE": "192.0.2.1",
    }),
    ("client", {
        "SIGNALING_HOST": "::1", "SIGNALING_PORT": "1", "JSON": "1", "OUTPUT": "folder",
        "ICE_SERVER": "stun:a.example", "RELAY_ONLY": "1", "DETECTOR_TIMEOUT": "2",
        "IMPAIR": "wifi", "IMPAIR_SEED": "3",
    }),
    ("client", {
        "SIGNALING": "unix-socket", "SIGNALING_PATH": "socket", "IMPAIR_DOWN": "loss=1%",
        "IMPAIR_UP": "delay=1ms", "WATCH": "https://a.example/whep", "WATCH_TOKEN": "x",
    }),
]  # fmt: skip
CONFIGS = {"server": ServerConfig, "client": ClientConfig}


def test_every_flag_is_tried() -> None:
    for name, config in CONFIGS.items():
        tried = {variable.lower() for each, some in VARIABLES if each == name for variable in some}
        assert tried == {flag.name for flag in flags_of(config)}


@pytest.mark.parametrize(("name", "variables"), VARIABLES)
def test_every_flag_has_an_environment_variable(
    configure: Callable[..., object], name: str, variables: dict[str, str]
) -> None:
    flags = [
        part
        for variable, value in variables.items()
        for part in _typed(name, variable.lower(), value)
    ]
    typed = configure(name, *flags)
    assert typed == configure(name, **{f"BALLSTREAM_{key}": variables[key] for key in variables})
    assert typed != CONFIGS[name]()


def _typed(command: str, name: str, value: str) -> tuple[str, ...]:
    (flag,) = (each for each in flags_of(CONFIGS[command]) if each.name == name)
    return flag.names[-1:] if flag.is_switch else (flag.names[-1], value)


async def test_a_flag_wins_against_its_variable(tmp_path: Path) -> None:
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
    done = process("server", *flags, "--json", BALLSTREAM_TOKEN="s3same")  # noqa: S106
    document = json.loads(done.stdout)
    assert set(document) == {"schema_version", "config", "environment", "impairment", "sessions"}
    assert document["schema_version"] == 1
    assert document["sessions"] == []
    assert document["impairment"] is None
    assert document["environment"]["aiortc"]
    assert document["config"] == {
        "signaling": {
            "method": "unix-socket",
            "host": "127.0.0.1",
            "port": 1234,
            "path": str(tmp_path / "s"),
        },
        "reporting": {"json": True, "output": None},
        "network": {"ice_servers": [], "relay_only": False, "advertise": None},
        "impairment": None,
        "duration": 0.1,
        "size": [640, 480],
        "fps": 30.0,
        "radius": 20.0,
        "speed": 280.0,
        "seed": 0,
        "codec": "VP8",
        "bitrate": 1_000_000,
        "frame_codec": "png",
        "quality": 90,
        "stamp": True,
        "web": None,
        "sessions": None,
        "max_sessions": 32,
        "stock": False,
        "redundancy": "auto",
        "publish": [],
        "publish_token": None,
        "insecure": False,
    }
    warning, _ = done.stderr.splitlines()
    assert warning == "BALLSTREAM_TOKEN has no effect without --http or --signaling whep"


@pytest.mark.parametrize("name", ["VERSION", "HELP"])
def test_what_is_no_flag_of_a_run_has_no_variable(
    configure: Callable[..., object], name: str
) -> None:
    assert configure("server", **{f"BALLSTREAM_{name}": "0.1"}) == ServerConfig()


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_a_command_as_a_process_says_what_it_is(flag: str) -> None:
    done = process("server", flag)
    assert done.returncode == 0
    assert "ballstream-server" in done.stdout
    assert done.stderr == ""


def test_wrong_usage_of_a_process() -> None:
    done = process("client", "--url", "http://a.example/")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "ballstream-client: --url has no effect without --signaling whep "
        "(see ballstream-client --help)\n"
    )


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
        env={**os.environ, "BALLSTREAM_TOKEN": "s3same"},
    )
    os.close(writing)
    assert done.returncode == 0
    assert json.loads(done.stdout)["sessions"] == []


@pytest.mark.parametrize("token", ["", "two words", "sésame"])
def test_a_token_must_fit_into_a_header(command: Command, token: str) -> None:
    done = command("server", "-s", "whep", "--token", token)
    assert done.status == 2
    assert done.errors.count("\n") == 1
    assert "without spaces" in done.errors


@pytest.mark.parametrize("name", ["server", "client"])
def test_a_secret_is_never_shown(command: Command, name: str) -> None:
    secrets = {
        "BALLSTREAM_TOKEN": "s3same",
        "BALLSTREAM_ICE_SERVER": "turn:robot:s3same@turn.example",
    }
    assert "s3same" not in command(name, "--help", **secrets).output
    assert "s3same" not in command(name, "--fps", "s", **secrets).errors
    wrong = command(name, "--ice-server", "turn:robot:s3same@", "-s", "whep")
    assert wrong.status == 2
    assert "s3same" not in wrong.errors
    wrong = command(name, "-s", "whep", "--token", "s3same s3same")
    assert wrong.status == 2
    assert "s3same" not in wrong.errors
    wrong = command(name, "--token", "s3same")
    assert wrong.status == 2
    assert "s3same" not in wrong.errors
