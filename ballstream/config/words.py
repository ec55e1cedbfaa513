"""The words of the domain: what a flag of a few choices may say."""

from enum import StrEnum


class SignalingMethod(StrEnum):
    """How offer and answer get across."""

    TCP_SOCKET = "tcp-socket"
    UNIX_SOCKET = "unix-socket"
    COPY_AND_PASTE = "copy-and-paste"
    WHEP = "whep"


class Transport(StrEnum):
    """How pictures travel: as video, or as bytes on a datachannel."""

    TRACK = "track"
    DATACHANNEL = "datachannel"


class Codec(StrEnum):
    """How video is compressed, by the names that SDP has for it."""

    VP8 = "VP8"
    H264 = "H264"


class FrameCodec(StrEnum):
    """How a frame on a datachannel is compressed."""

    PNG = "png"
    JPEG = "jpeg"
    RAW = "raw"


class Redundancy(StrEnum):
    """Whether packets of video go out again before anybody asks for them."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"
