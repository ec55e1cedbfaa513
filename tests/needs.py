"""What a test needs of its machine.

Where something is missing the test is skipped, with the reason; in CI, which is there for all of
them, it fails. Tests say it with `@pytest.mark.needs(there, what)`, or by calling `need`.
"""

import os
import shutil

import pytest


def need(there: object, what: str) -> None:
    """Go on where it is there; otherwise skip, or fail where `CI` is `true`."""
    if there:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have it all: needs {what}", pytrace=False)
    pytest.skip(f"needs {what}")


def found(*programs: str) -> bool:
    """Whether all of these programs are installed."""
    return all(map(shutil.which, programs))


namespaces = pytest.mark.needs(
    os.geteuid() == 0 and found("ip", "iptables"),
    "root, iproute2 and iptables: sudo apt-get install iproute2 iptables",
)
coturn = pytest.mark.needs(found("turnserver"), "coturn: sudo apt-get install coturn")
screen = pytest.mark.needs(
    found("Xvfb", "xdotool"), "Xvfb and xdotool: sudo apt-get install xvfb xdotool"
)
kubectl = pytest.mark.needs(found("kubectl"), "kubectl, for its kustomize")
node = pytest.mark.needs(found("node"), "Node.js: sudo apt-get install nodejs")
podman = pytest.mark.needs(os.geteuid() == 0 and found("podman"), "root and Podman")
base_image = pytest.mark.needs(
    "BALLSTREAM_BUILD" in os.environ, "BALLSTREAM_BUILD, the flags of podman build"
)
