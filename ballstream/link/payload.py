"""What RTP payloads say about the frame that they belong to."""

from ..config.words import Codec

_H264_SPS = 7
_START_CODE = b"\0\0\0\1"


def fits(codec: str, data: bytes, pixels: int) -> bool:
    """Whether a frame that names its size names one of at most so many pixels.

    A VP8 keyframe does (RFC 6386, section 9.1), and libvpx makes room for what it names.
    """
    if codec != Codec.VP8 or len(data) < 10 or data[0] & 1:
        return True
    width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    return width * height <= pixels


def starts_keyframe(codec: str, payload: bytes, data: bytes) -> bool:
    """Whether a packet is the first of a keyframe.

    `codec` is `VP8` (RFC 7741) or `H264` (RFC 6184), `payload` that of the packet, `data` what the
    depayloader made of it: the payload without its descriptor, or NAL units with start codes.
    """
    if codec == Codec.VP8:
        first_of_frame = bool(payload) and payload[0] & 0x1F == 0x10
        return first_of_frame and bool(data) and data[0] & 1 == 0
    if codec == Codec.H264:
        # Everybody sends the parameter sets again with each IDR picture, in front of it; a decoder
        # that has not seen them can do nothing with the picture, so it is they that count.
        return data.startswith(_START_CODE) and any(
            unit[0] & 0x1F == _H264_SPS for unit in data.split(_START_CODE) if unit
        )
    return False
