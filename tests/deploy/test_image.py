"""The image, built and run: two containers on a bridge, and the manifests as pods.

Run by `make images`. Needs Podman as root and a base image: `BALLSTREAM_BUILD` holds what `podman
build` is to be told, such as `--build-arg BASE=docker.io/library/debian:bookworm-slim`.
"""

import base64
import json
import os
import shlex
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import needs
import pytest
import yaml
from programs import DEADLINE

ROOT = Path(__file__).parents[2]
FLAGS = os.environ.get("BALLSTREAM_BUILD", "")
LARGEST = 500_000_000
HARDENED = "--no-healthcheck --read-only --cap-drop all --security-opt no-new-privileges"

pytestmark = [pytest.mark.images, needs.podman, needs.base_image, needs.kubectl]


def podman(command: str, seconds: float = DEADLINE, text: str | None = None) -> str:
    """What Podman prints; it must succeed."""
    done = subprocess.run(
        ["podman", "--runtime", "runc", *shlex.split(command)],
        capture_output=True, text=True, timeout=seconds, input=text, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def said(container: str) -> str:
    """All that a container has printed, errors and notes included."""
    return subprocess.run(
        ["podman", "logs", container], check=True, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ).stdout  # fmt: skip


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    name = f"localhost/ballstream-{uuid.uuid4().hex[:8]}"
    podman(f"build --format docker {FLAGS} -f deploy/Dockerfile -t {name} .", 600)
    yield name
    podman(f"rmi --force {name}")


@contextmanager
def network() -> Iterator[str]:
    name = f"ballstream-{uuid.uuid4().hex[:8]}"
    podman(f"network create {name}")
    try:
        yield name
    finally:
        podman(f"network rm --force --time 1 {name}")


def test_it_is_small_and_nobody_in_it_is_root(image: str) -> None:
    (facts,) = json.loads(podman(f"image inspect {image}"))
    assert facts["Size"] < LARGEST
    assert facts["User"] == "65532:65532"
    assert facts["Labels"]["org.opencontainers.image.title"] == "ballstream"
    assert "healthz" in json.dumps(facts["Healthcheck"])
    script = "import shutil, sys; sys.exit(any(map(shutil.which, ('gcc', 'pip', 'apt-get'))))"
    podman(f'run --rm {HARDENED} --network none {image} python3 -c "{script}"')


def test_both_commands_are_there(image: str) -> None:
    for name in ("server", "client", "bench"):
        version = podman(f"run --rm {HARDENED} --network none {image} ballstream-{name} --version")
        assert version.startswith(f"ballstream-{name}, version ")


def test_two_containers_close_the_loop_on_a_bridge(image: str) -> None:
    with network() as bridge:
        common = f"{HARDENED} --network {bridge} --env BALLSTREAM_TOKEN=sesame {image}"
        server = podman(
            f"run --detach --name server-{bridge} {common} "
            "ballstream-server -s whep --http 0.0.0.0:8080 --sessions 1 --json"
        ).strip()
        url = f"http://server-{bridge}:8080/whep"
        client = podman(
            f"run --rm {common} ballstream-client -s whep --url {url} --duration 3 --json", 60
        )
        assert json.loads(client)["sessions"][0]["frames_received"] > 60
        assert podman(f"wait {server}").strip() == "0"
        (session,) = json.loads(podman(f"logs {server}"))["sessions"]
    assert session["frames_answered"] >= 0.9 * session["frames_sent"] > 0
    assert session["detection_error_px"]["p95"] < 0.1


def test_the_manifests_run_as_pods(image: str) -> None:
    """The server's Deployment and the client's pod; Podman knows neither Service nor Job."""
    rendered = subprocess.run(
        ["kubectl", "kustomize", "deploy/k8s/base"], capture_output=True, check=True, cwd=ROOT
    ).stdout
    objects: list[Any] = list(yaml.safe_load_all(rendered))
    (server,) = (each for each in objects if each["kind"] == "Deployment")
    (job,) = (each for each in objects if each["kind"] == "Job")
    maps = [
        each for each in objects if each["kind"] == "ConfigMap" and "signaling" in str(each).lower()
    ]
    client: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "ballstream-client"},
    }
    client |= {"spec": job["spec"]["template"]["spec"]}
    for pod in (server["spec"]["template"], client):
        pod["spec"]["containers"][0] |= {"image": image, "imagePullPolicy": "Never"}
        pod["spec"]["containers"][0].pop("resources")
    pod = "ballstream-server-pod-0"
    for each in maps:
        if "BALLSTREAM_URL" in each["data"]:  # there is no Service to ask
            each["data"]["BALLSTREAM_URL"] = f"http://{pod}:8080/whep"
            each["data"]["BALLSTREAM_DURATION"] = "4"
    with network() as bridge:
        # What `kubectl create secret` does; this Podman reads its own secrets, as JSON. Where one
        # of that name exists it is somebody's: then this fails, and leaves it alone.
        token = json.dumps({"BALLSTREAM_TOKEN": base64.b64encode(b"sesame").decode()})
        podman("secret create ballstream -", text=token)
        try:
            play(bridge, *maps, server)
            play(bridge, *maps, client)
            status = podman("wait ballstream-client-client", 60).strip()
            assert status == "0", said("ballstream-client-client")
            assert "estimates sent" in said("ballstream-client-client")
            podman(f"stop --time 20 {pod}-server")
            assert "client 1, track, VP8" in said(f"{pod}-server")
        finally:
            podman(f"pod rm --force --ignore ballstream-client {pod}")
            podman("secret rm ballstream")


def play(bridge: str, *objects: object) -> None:
    podman(f"play kube --network {bridge} -", 60, yaml.safe_dump_all(objects))
