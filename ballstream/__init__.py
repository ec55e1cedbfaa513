"""A closed-loop test rig for vision over WebRTC.

The server draws a ball, sends it as video, and waits for an answer; the client's whole work is

    picture = newest(track)                     # link/, and never an old one
    x, y = detector(picture)                    # vision/, in a process of its own
    channel.send(Estimate(picture.frame, x, y)) # protocol/, over the datachannel

and the server, which knows where the ball was in that very frame, says how exact the answer was
and how late it came (scoring/).
"""

__version__ = "0.1.0"
