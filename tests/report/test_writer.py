"""Writing to what is slow, full, closed, or not there."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ballstream.report.writer import Writer, write_all

DEADLINE = 10.0


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_texts_are_made_in_the_thread_and_written_in_order(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    makers: list[int] = []

    def make() -> str:
        makers.append(threading.get_ident())
        return "one \u2500\n"

    writer = Writer(writing)
    assert writer.put(make)
    assert writer.put(lambda: "two\ud800\n")
    writer.close()
    assert os.read(reading, 100) == b"one \xe2\x94\x80\ntwo\\ud800\n"
    assert makers
    assert threading.get_ident() not in makers


def test_all_is_written_after_a_flush(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    writer = Writer(writing)
    writer.put(lambda: "said")
    writer.flush()
    assert os.read(reading, 100) == b"said"
    writer.close()


@pytest.mark.parametrize("descriptor", [None, -1])
def test_where_nobody_can_read_it_is_left_out(descriptor: int | None) -> None:
    writer = Writer(descriptor)
    writer.put(lambda: "lost")
    writer.flush()
    writer.put(lambda: "lost")
    writer.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_no_failure() -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    writer = Writer(descriptor)
    for _ in range(3):
        writer.put(lambda: "lost")
    writer.close()
    os.close(descriptor)


def test_one_that_does_not_read_holds_nobody_up(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    made = threading.Event()

    def make() -> str:
        made.set()
        return "x" * 1_000_000

    writer = Writer(writing)
    writer.put(make)
    assert made.wait(DEADLINE)
    taken = sum(writer.put(lambda: "y") for _ in range(2_000))
    assert taken == 1_000
    read = 0
    while read < 1_001_000:
        read += len(os.read(reading, 65536))
    writer.close()
    assert read == 1_001_000


def test_a_descriptor_that_does_not_wait_is_waited_for(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.set_blocking(writing, False)
    thread = threading.Thread(target=write_all, args=(writing, b"x" * 1_000_000))
    thread.start()
    read = 0
    while read < 1_000_000:
        read += len(os.read(reading, 65536))
    thread.join(DEADLINE)
    assert not thread.is_alive()
