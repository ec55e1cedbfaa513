"""Machines on one machine: network namespaces, joined by veth pairs and routers that do NAT."""

import asyncio
import itertools
import os
import shlex
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from programs import soon

PUBLIC, PORT = "198.51.100", 3478
TURN_SERVER = f"{PUBLIC}.1"
TURN_LOGIN = "robot:arm"
_NUMBERS = itertools.count()


class Machine:
    """A namespace with a loopback of its own."""

    def __init__(self, name: str) -> None:
        self.name = f"bs{os.getpid()}-{next(_NUMBERS)}{name}"
        _do(f"ip netns add {self.name}")
        self("ip link set lo up")

    @property
    def within(self) -> tuple[str, ...]:
        """What stands before a command to run it there."""
        return ("ip", "netns", "exec", self.name)

    def __call__(self, command: str) -> None:
        """Run a command there, which must succeed."""
        _do(" ".join((*self.within, command)))

    def remove(self) -> None:
        with suppress(subprocess.CalledProcessError):
            _do(f"ip netns del {self.name}")


def _do(command: str) -> None:
    subprocess.run(shlex.split(command), check=True, capture_output=True)


class Internet:
    """A switch at 198.51.100.1, to which machines are attached."""

    def __init__(self) -> None:
        self.machines = [Machine("net")]
        self.switch = self.machines[0]
        self._last = 1
        self._links = itertools.count()
        self.switch("ip link add br0 type bridge")
        self.switch(f"ip addr add {PUBLIC}.1/24 dev br0")
        self.switch("ip link set br0 up")

    def attach(self, name: str) -> tuple[Machine, str]:
        """A machine with an address that all can reach, and the address."""
        machine = Machine(name)
        self.machines.append(machine)
        self._last += 1
        address = f"{PUBLIC}.{self._last}"
        port = self._join(self.switch, machine, f"{address}/24")
        self.switch(f"ip link set {port} master br0")
        machine(f"ip route add default via {PUBLIC}.1")
        return machine, address

    def attach_behind_nat(
        self, name: str, tcp: int | None = None, udp: str | None = None
    ) -> tuple[Machine, str]:
        """A machine behind a router that hides it, and the router's address.

        TCP and UDP to these ports of the router go to the machine; `udp` is a range, `first:last`.
        """
        router, address = self.attach(f"{name}r")
        machine = Machine(name)
        self.machines.append(machine)
        inner = f"10.{self._last}.0"
        port = self._join(router, machine, f"{inner}.2/24")
        router(f"ip addr add {inner}.1/24 dev {port}")
        machine(f"ip route add default via {inner}.1")
        router("sysctl -qw net.ipv4.ip_forward=1")
        router("iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE --random")
        # Nothing comes in that was not asked for, and inner addresses stay inside.
        router("iptables -P FORWARD DROP")
        router("iptables -A FORWARD -i eth0 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT")
        router(f"iptables -A FORWARD -i {port} -j ACCEPT")
        for protocol, ports in (("tcp", tcp), ("udp", udp)):
            if ports is None:
                continue
            incoming = f"-i eth0 -p {protocol} --dport {ports}"
            router(f"iptables -t nat -A PREROUTING {incoming} -j DNAT --to {inner}.2")
            router(f"iptables -A FORWARD {incoming} -j ACCEPT")
        return machine, address

    def _join(self, near: Machine, far: Machine, address: str) -> str:
        """Lay a cable from `near` to the `eth0` of `far`; the name of the near end."""
        port = f"p{next(self._links)}"
        near(f"ip link add {port} type veth peer name eth0 netns {far.name}")
        near(f"ip link set {port} up")
        far(f"ip addr add {address} dev eth0")
        far("ip link set eth0 up")
        return port


@contextmanager
def internet() -> Iterator[Internet]:
    """A network of machines, of which nothing is left afterwards."""
    network = Internet()
    try:
        yield network
    finally:
        for machine in network.machines:
            machine.remove()


@asynccontextmanager
async def turn_server(network: Internet) -> AsyncIterator[str]:
    """A coturn at the switch; gives its host and port."""
    process = await asyncio.create_subprocess_exec(
        *network.switch.within,
        *("turnserver", "-n", "--log-file=stdout", "--no-cli", "--no-tls", "--no-dtls"),
        *("--fingerprint", "--lt-cred-mech", f"--user={TURN_LOGIN}", "--realm=ballstream"),
        *(f"--listening-ip={TURN_SERVER}", f"--relay-ip={TURN_SERVER}", "--pidfile=/dev/null"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    reading: asyncio.Task[bytes] | None = None
    try:
        while b"SQLite DB connection success" not in (
            line := await soon(process.stdout.readline())
        ):
            assert line, "coturn ended"
        reading = asyncio.create_task(process.stdout.read())
        yield f"{TURN_SERVER}:{PORT}"
    finally:
        process.kill()
        await process.wait()
        if reading is not None:
            await reading
