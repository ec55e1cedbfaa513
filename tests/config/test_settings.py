from dataclasses import fields

import pytest

from ballstream.bench.config import BenchConfig
from ballstream.config import (
    WHEP_ADDRESS,
    ClientConfig,
    Codec,
    FrameCodec,
    IceServer,
    Network,
    ServerConfig,
    Signaling,
    SignalingMethod,
    Web,
)
from ballstream.config.flag import Flag, configured, flags_of
from ballstream.protocol.frames import ImageCodec

CONFIGS: list[type] = [ServerConfig, ClientConfig, BenchConfig]


@pytest.mark.parametrize("config", CONFIGS)
def test_what_a_flag_needs_is_a_flag_of_the_same_command(config: type) -> None:
    flags = flags_of(config)
    known = {each.names[-1] for each in flags}
    for flag in flags:
        settings = [one for place in flag.places for group in place for one in group]
        assert {each.flag for each in (*settings, *flag.flag.without)} <= known


@pytest.mark.parametrize("config", CONFIGS)
def test_no_flag_is_idle_or_changes_anything_by_itself(config: type) -> None:
    nothing = {each.name: None for each in flags_of(config)}
    for each in flags_of(config):
        if each.is_switch:
            nothing[each.name] = False  # type: ignore[assignment]
    assert configured(config, nothing) == config()


@pytest.mark.parametrize("config", CONFIGS)
def test_a_default_is_written_so_that_it_is_read_again(config: type) -> None:
    for each in flags_of(config):
        if each.flag.syntax is not None and each.default not in (None, ()):
            assert each.flag.syntax.read(each.default) == each.field.default


@pytest.mark.parametrize("config", CONFIGS)
def test_every_field_has_a_flag_or_parts_that_have(config: type) -> None:
    for each in fields(config):
        assert Flag in each.metadata or each.name in (
            "signaling", "reporting", "network", "web", "impairment",
        )  # fmt: skip


@pytest.mark.parametrize("config", CONFIGS)
def test_a_flag_that_sets_two_fields_is_one(config: type) -> None:
    names = [name for each in flags_of(config) for name in each.names]
    assert len(names) == len(set(names))


def test_insecure_is_about_socket_and_http() -> None:
    values = {each.name: None for each in flags_of(ServerConfig)}
    values |= {"insecure": True, "no_stamp": False, "http": WHEP_ADDRESS}  # type: ignore[dict-item]
    config = configured(ServerConfig, values)
    assert config.insecure
    assert config.web == Web(insecure=True)


def test_whep_is_served_where_no_other_place_is_named() -> None:
    assert ServerConfig().web is None
    assert ServerConfig(Signaling(SignalingMethod.WHEP)).web == Web(WHEP_ADDRESS)


def test_every_codec_of_frames_is_one_of_the_protocol() -> None:
    assert {each.name for each in FrameCodec} == {each.name for each in ImageCodec}


def test_the_names_of_codecs_are_those_of_sdp() -> None:
    assert [str(each) for each in Codec] == ["VP8", "H264"]


def test_our_own_ice_servers_come_before_those_that_the_other_end_names() -> None:
    ours, theirs = IceServer("stun:ours.example"), IceServer("stun:theirs.example")
    ways = Network(relay_only=True)
    assert ways.or_by((theirs,)) == Network((theirs,), relay_only=True)
    assert Network((ours,)).or_by((theirs,)) == Network((ours,))
    assert ways.or_by(()) == ways
