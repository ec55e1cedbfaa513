"""RTP packets into frames that can be decoded, without delay, and what to ask the sender for.

Pure: time comes in as an argument, in seconds of any one clock.
"""

from dataclasses import dataclass

CAPACITY = 512
"""Packets that are held at the most, and the furthest that a sequence number may jump."""

FIRST_ROUND_TRIP = 0.01
"""What the round trip counts as, in seconds, until a packet came that was asked for."""

_SHORTEST_RETRY = 0.01
_SHORTEST_WAIT = 1.0
_KEYFRAME_RETRY = 0.1
_COPIES_WITHIN, _COPIES_FOR = 0.012, 1.0
"""Seconds within which a sender repeats packets, if it does, and for how long it counts as one."""

_MOST_AT_ONCE = 32
"""Packets in a row that are asked for; of more a keyframe is sooner there."""
_STRANGERS_BEFORE_RESTART = 16


@dataclass(frozen=True, slots=True)
class Part:
    """What one RTP packet brings: a piece of a frame.

    `sequence` (16 bits), `timestamp` (32 bits) and `marker` as in RFC 3550; `data` is what the
    decoder gets, empty in a packet of padding; `starts_keyframe` says what `data` begins with.
    """

    sequence: int
    timestamp: int
    marker: bool
    data: bytes
    starts_keyframe: bool = False


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """A complete frame, whose predecessor was complete too or which is a keyframe.

    `timestamp` counts on from that of the first packet and does not wrap.
    """

    data: bytes
    timestamp: int


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask the sender for now: packets to send again, and whether a keyframe."""

    packets: tuple[int, ...]
    keyframe: bool


@dataclass(slots=True)
class _Hole:
    since: float
    ask_at: float
    asked: int = 0


class Reassembly:
    """Puts frames together and releases each at its last packet.

    `add` takes packets as they come and returns what they complete. After each, and again at
    `next_request_at`, `request` says what to ask for. A hole is asked for at once. When it is time
    to ask again, a keyframe is asked for as well, and whichever is complete first ends the wait.
    What is missing after seconds is given up.

    It has thirteen fields, as any packet may change any of them: they are one sequence's state.
    """

    def __init__(self) -> None:
        self.round_trip = FIRST_ROUND_TRIP
        self.breaks = 0
        """How often the stream had to go on with a keyframe, because frames were missing."""

        self._parts: dict[int, Part] = {}
        self._keyframe_starts: set[int] = set()
        self._holes: dict[int, _Hole] = {}
        self._questions: dict[int, float] = {}
        self._from = 0
        self._next: int | None = None
        self._highest: int | None = None
        self._timestamp: int | None = None
        self._keyframe_asked_at: float | None = None
        self._repeated_at = float("-inf")
        self._strangers = 0

    def add(self, part: Part, now: float) -> list[EncodedFrame]:
        """Take a packet; returns the frames that are complete with it, oldest first."""
        sequence = self._place(part.sequence, now)
        if sequence is None:
            return []
        self._holes.pop(sequence, None)
        self._learn_round_trip(sequence, now)
        if sequence in self._parts or sequence < self._from:
            self._repeated_at = now
            return []
        self._parts[sequence] = part
        if part.starts_keyframe:
            self._keyframe_starts.add(sequence)
        if len(self._parts) > CAPACITY:
            self.abandon()
        return self._release()

    def abandon(self) -> None:
        """Start over with a keyframe, as when the decoder failed."""
        if self._highest is not None:
            self._give_up(self._highest + 1)

    def request(self, now: float) -> Request:
        """What to ask for at this instant; asking counts as done."""
        expired = [
            place for place, hole in self._holes.items() if now >= hole.since + self._patience
        ]
        if expired:
            self._give_up(max(expired) + 1)
        packets = []
        for place, hole in self._holes.items():
            if now >= hole.ask_at:
                self._ask(place, hole, now)
                packets.append(place & 0xFFFF)
        keyframe = self._lacks_keyframe and self._keyframe_due_at <= now
        if keyframe:
            self._keyframe_asked_at = now
        return Request(tuple(packets), keyframe)

    @property
    def next_request_at(self) -> float | None:
        """The instant at which `request` will have something to say if nothing comes before."""
        instants = [min(hole.since + self._patience, hole.ask_at) for hole in self._holes.values()]
        if self._lacks_keyframe:
            instants.append(self._keyframe_due_at)
        return min(instants, default=None)

    @property
    def _retry_after(self) -> float:
        return max(_SHORTEST_RETRY, 1.25 * self.round_trip)

    @property
    def _patience(self) -> float:
        return max(_SHORTEST_WAIT, 6 * self.round_trip)

    @property
    def _lacks_keyframe(self) -> bool:
        """Whether only a keyframe helps, or soonest, and none has begun to come."""
        if self._highest is None:
            return False
        stuck = max((place for place, hole in self._holes.items() if hole.asked > 1), default=None)
        if stuck is None:
            return self._next is None and not self._keyframe_starts
        return all(start < stuck for start in self._keyframe_starts)

    @property
    def _keyframe_due_at(self) -> float:
        if self._keyframe_asked_at is None:
            return float("-inf")
        return self._keyframe_asked_at + max(_KEYFRAME_RETRY, 2 * self.round_trip)

    def _place(self, sequence: int, now: float) -> int | None:
        """Number a packet without wrapping, and note the holes before it; None if far too old."""
        if self._highest is None:
            self._highest = self._from = sequence
            return sequence
        distance = (sequence - self._highest + 0x8000) % 0x10000 - 0x8000
        if distance <= -CAPACITY:
            self._strangers += 1
            if self._strangers < _STRANGERS_BEFORE_RESTART:
                return None
        if abs(distance) >= CAPACITY:
            # The sender began anew, or we were away for long: nothing that is here fits on.
            self.abandon()
            self._highest += distance
            self._from = self._highest
            self._strangers = 0
            return self._highest
        self._strangers = 0
        place = self._highest + distance
        if place - self._highest > _MOST_AT_ONCE:
            self._give_up(place)
        else:
            for missing in range(self._highest + 1, place):
                self._holes[missing] = _Hole(now, now)
        self._highest = max(self._highest, place)
        return place

    def _ask(self, place: int, hole: _Hole, now: float) -> None:
        # Time runs from the first question, also where the answer comes long after the hole was
        # given up: else a round trip that is longer than the first guess would never be learnt.
        self._questions.setdefault(place, now)
        if len(self._questions) > CAPACITY:
            del self._questions[next(iter(self._questions))]
        # What is only guessed at is doubled, until it is long enough for an answer.
        guessed = self.round_trip == FIRST_ROUND_TRIP
        hole.ask_at = now + self._retry_after * (2**hole.asked if guessed else 1)
        hole.asked += 1

    def _learn_round_trip(self, place: int, now: float) -> None:
        asked_at = self._questions.pop(place, None)
        if asked_at is None:
            return
        took = now - asked_at
        if took < _COPIES_WITHIN and now < self._repeated_at + _COPIES_FOR:
            return  # a copy that was under way already
        first = self.round_trip == FIRST_ROUND_TRIP
        self.round_trip += (took - self.round_trip) / (1 if first else 4)

    def _release(self) -> list[EncodedFrame]:
        frames: list[EncodedFrame] = []
        while True:
            end = None if self._next is None else self._end_of_frame(self._next)
            if end is None:
                start = self._complete_keyframe()
                if start is None:
                    return frames
                self._skip_to(start)
                continue
            frame = self._take(end)
            if frame is not None:
                frames.append(frame)

    def _end_of_frame(self, start: int) -> int | None:
        """The place after a frame's last packet, if all of its packets are here."""
        first = self._parts.get(start)
        if first is None:
            return None
        place = start
        # What has no marker ends where another time stamp begins.
        while (part := self._parts.get(place)) and part.timestamp == first.timestamp:
            place += 1
            if part.marker or not first.data:
                return place
        return place if part is not None else None

    def _complete_keyframe(self) -> int | None:
        """The newest keyframe that is whole and not yet due, if there is one."""
        for start in sorted(self._keyframe_starts, reverse=True):
            if self._end_of_frame(start) is not None:
                return start
        return None

    def _take(self, end: int) -> EncodedFrame | None:
        assert self._next is not None
        parts = [self._parts.pop(place) for place in range(self._next, end)]
        self._keyframe_starts.difference_update(range(self._next, end))
        self._next = self._from = end
        data = b"".join(part.data for part in parts)
        if not data:
            return None
        return EncodedFrame(data, self._unwrapped(parts[0].timestamp))

    def _skip_to(self, start: int) -> None:
        if self._next is not None:
            self.breaks += 1
        self._drop_before(start)
        self._next = start

    def _give_up(self, start: int) -> None:
        """Wait for a keyframe that begins at `start` or later."""
        if self._next is not None:
            self.breaks += 1
        self._next = None
        self._drop_before(start)

    def _drop_before(self, start: int) -> None:
        self._from = start
        self._parts = {place: part for place, part in self._parts.items() if place >= start}
        self._holes = {place: hole for place, hole in self._holes.items() if place >= start}
        self._keyframe_starts = {place for place in self._keyframe_starts if place >= start}

    def _unwrapped(self, timestamp: int) -> int:
        last = timestamp if self._timestamp is None else self._timestamp
        self._timestamp = last + (timestamp - last + 0x80000000) % 0x100000000 - 0x80000000
        return self._timestamp
