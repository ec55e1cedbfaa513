"""Asks a window of the X server to close, as the button in its title bar does: `WM_DELETE_WINDOW`.

The window's id is the argument.
"""

import ctypes
import sys

CLIENT_MESSAGE = 33


class ClientMessage(ctypes.Structure):
    """`XClientMessageEvent`, as long as the union that Xlib copies."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 20),
    )


def main() -> None:
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    event = ClientMessage(
        type=CLIENT_MESSAGE,
        window=int(sys.argv[1]),
        message_type=x11.XInternAtom(display, b"WM_PROTOCOLS", 0),
        format=32,
    )
    event.data[0] = x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
    window = ctypes.c_ulong(event.window)
    x11.XSendEvent(display, window, 0, ctypes.c_long(0), ctypes.byref(event))
    x11.XCloseDisplay(display)


if __name__ == "__main__":
    main()
