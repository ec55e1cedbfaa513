"""The losses of the emulated network beside those of the kernel, in a machine of their own."""

import json
import subprocess
import sys
from itertools import groupby
from math import sqrt

import needs
from networks import Machine

NUMBER, SHARE = 20_000, 0.05

PROGRAM = """
import asyncio, json, sys
from ballstream import impairment
from ballstream.impairment.conditions import Impairment
from ballstream.impairment.emulation import Direction
from ballstream.impairment.grammar import parse_plan

NUMBER, SPEC = int(sys.argv[1]), sys.argv[2]
RECEIVER = ("127.0.0.1", 4000)


class End(asyncio.DatagramProtocol):
    def __init__(self):
        self.received, self.came = [], asyncio.Event()
    def datagram_received(self, data, addr):
        if data == b"mark":
            self.came.set()
        else:
            self.received.append(int(data))

async def main():
    loop = asyncio.get_running_loop()
    unimpaired, marks = await loop.create_datagram_endpoint(End, local_addr=("127.0.0.1", 0))
    network = Impairment(down=parse_plan(SPEC), seed=1)
    async with impairment.emulate(network, Direction.DOWN):
        sender, _ = await loop.create_datagram_endpoint(End, local_addr=("127.0.0.1", 4001))
    receiver, end = await loop.create_datagram_endpoint(End, local_addr=RECEIVER)
    # Loopback keeps the order: what is lost of a group has not come before its mark.
    for place in range(NUMBER):
        sender.sendto(b"%d" % place, RECEIVER)
        if place % 50 == 49:
            end.came.clear()
            unimpaired.sendto(b"mark", RECEIVER)
            await asyncio.wait_for(end.came.wait(), 20)
    for transport in (sender, receiver, unimpaired):
        transport.close()
    print(json.dumps(end.received))

with asyncio.Runner(loop_factory=impairment.loop) as runner:
    runner.run(main())
"""


def lost(machine: Machine, spec: str) -> list[bool]:
    """Send datagrams from one socket to another on a machine; for each whether it was lost."""
    program = (*machine.within, sys.executable, "-c", PROGRAM, str(NUMBER), spec)
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True)
    arrived = json.loads(done.stdout)
    assert arrived == sorted(arrived)
    missing = set(range(NUMBER)).difference(arrived)
    return [place in missing for place in range(NUMBER)]


def mean_run(losses: list[bool]) -> tuple[float, int]:
    """The mean length of runs of losses, and how many there are."""
    runs = [len(list(run)) for is_lost, run in groupby(losses) if is_lost]
    return sum(runs) / len(runs), len(runs)


@needs.namespaces
def test_losses_are_as_those_that_the_kernel_makes() -> None:
    machine = Machine("loss")
    try:
        assert not any(lost(machine, "delay=0ms"))
        emulated = lost(machine, f"loss={100 * SHARE:g}%")
        machine(
            "iptables -A INPUT -p udp --sport 4001 -m statistic --mode random "
            f"--probability {SHARE} -j DROP"
        )
        real = lost(machine, "delay=0ms")
    finally:
        machine.remove()
    deviation = sqrt(2 * SHARE * (1 - SHARE) / NUMBER)
    print(f"lost: {sum(emulated)} emulated, {sum(real)} by the kernel, of {NUMBER} each")
    assert abs(sum(emulated) - sum(real)) / NUMBER < 5 * deviation
    (ours, number), (theirs, other_number) = mean_run(emulated), mean_run(real)
    variance = SHARE / (1 - SHARE) ** 2  # of runs of independent losses
    assert abs(ours - theirs) < 5 * sqrt(variance * (1 / number + 1 / other_number))
