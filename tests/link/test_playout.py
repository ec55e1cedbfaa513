from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensions, unpack_header_extensions

from ballstream.link.playout import AtOnce

MID = RTCRtpHeaderExtensionParameters(4, "urn:ietf:params:rtp-hdrext:sdes:mid")


def test_every_packet_says_that_its_frame_is_not_to_be_kept_back() -> None:
    extensions = AtOnce(12)
    assert extensions.set(HeaderExtensions()) == (0xBEDE, b"\xc2\0\0\0")


def test_what_aiortc_writes_stays() -> None:
    extensions = AtOnce(2)
    extensions.configure(RTCRtpParameters(headerExtensions=[MID]))
    profile, written = extensions.set(HeaderExtensions(mid="video"))
    assert unpack_header_extensions(profile, written) == [(4, b"video"), (2, bytes(3))]
    assert extensions.get(profile, written) == HeaderExtensions(mid="video")
