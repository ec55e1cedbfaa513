"""What is deployed: rendered, valid, locked down, and agreeing with the programs."""

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import needs
import pytest
import yaml

from ballstream.commands import cli
from ballstream.web.metrics import Metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
KUBERNETES = DEPLOY / "k8s"
FOLDERS = ("base", "overlays/minikube", "overlays/hostnetwork", "overlays/turn")
VERSIONS = ("1.25", kubernetes_validate.latest_version())
PORT = 8080


@cache
def rendered(folder: str) -> tuple[dict[str, Any], ...]:
    output = subprocess.run(
        ["kubectl", "kustomize", KUBERNETES / folder], check=True, capture_output=True, text=True
    ).stdout
    return tuple(yaml.safe_load_all(output))


def one(folder: str, kind: str, name: str) -> dict[str, Any]:
    (found,) = (
        each
        for each in rendered(folder)
        if each["kind"] == kind and each["metadata"]["name"].startswith(name)
    )
    return found


def pods(folder: str) -> list[dict[str, Any]]:
    return [
        each["spec"]["template"]["spec"]
        for each in rendered(folder)
        if each["kind"] in ("Deployment", "Job")
    ]


def variables(command: click.Command) -> set[str]:
    """The environment variables that a command reads."""
    return {f"BALLSTREAM_{parameter.name}".upper() for parameter in command.params}


@needs.kubectl
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_object_is_valid(folder: str, version: str) -> None:
    for each in rendered(folder):
        kubernetes_validate.validate(each, version, strict=True)


@needs.kubectl
@pytest.mark.parametrize("folder", FOLDERS)
def test_no_pod_may_do_more_than_it_must(folder: str) -> None:
    assert len(pods(folder)) >= 2
    for pod in pods(folder):
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"]["drop"] == ["ALL"]
            assert set(container["resources"]) == {"requests", "limits"}
            assert context["allowPrivilegeEscalation"] is False


@needs.kubectl
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_variable_is_a_flag(folder: str) -> None:
    for name, command in (("server", cli.server_command()), ("client", cli.client_command())):
        values = one(folder, "ConfigMap", f"ballstream-{name}")["data"]
        assert values["BALLSTREAM_SIGNALING"] == "whep"
        assert set(values) <= variables(command)


@needs.kubectl
def test_the_server_is_asked_how_it_is() -> None:
    server = one("base", "Deployment", "ballstream-server")["spec"]["template"]
    (container,) = server["spec"]["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": PORT}]
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert server["metadata"]["annotations"]["prometheus.io/path"] == "/metrics"
    values = one("base", "ConfigMap", "ballstream-server")["data"]
    assert values["BALLSTREAM_HTTP"] == f"0.0.0.0:{PORT}"
    client = one("base", "ConfigMap", "ballstream-client")["data"]
    assert client["BALLSTREAM_URL"] == f"http://ballstream:{PORT}/whep"


@needs.kubectl
def test_the_policy_lets_in_what_the_server_opens() -> None:
    (sysctl,) = one("base", "Deployment", "ballstream-server")["spec"]["template"]["spec"][
        "securityContext"
    ]["sysctls"]
    first, last = map(int, sysctl["value"].split())
    (rule,) = one("base", "NetworkPolicy", "ballstream-server")["spec"]["ingress"]
    assert rule["ports"] == [
        {"protocol": "TCP", "port": PORT},
        {"protocol": "UDP", "port": first, "endPort": last},
    ]


@needs.kubectl
@pytest.mark.parametrize("folder", FOLDERS)
def test_selectors_meet_their_pods(folder: str) -> None:
    labels = [
        each["spec"]["template"]["metadata"]["labels"].items()
        for each in rendered(folder)
        if each["kind"] in ("Deployment", "Job")
    ]
    selectors = [
        each["spec"].get("podSelector", each["spec"].get("selector"))
        for each in rendered(folder)
        if each["kind"] in ("Service", "NetworkPolicy", "PodDisruptionBudget")
    ]
    assert len(selectors) >= 4
    for selector in selectors:
        wanted = selector.get("matchLabels", selector).items()
        assert sum(wanted <= each for each in labels) == 1


def test_the_dashboard_asks_for_metrics_that_exist() -> None:
    dashboard = json.loads((KUBERNETES / "base/dashboard.json").read_text(encoding="utf-8"))
    names = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"\b(?:ballstream|process)_\w+", target["expr"])
    }
    assert len(names) >= 9
    families = Metrics({"version": "1"}, 32).registry.collect()
    known = {sample.name for family in families for sample in family.samples}
    assert names <= known


def test_the_composition_uses_flags_and_ports_that_exist() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    known = variables(cli.server_command()) | variables(cli.client_command())
    assert set(services) >= {"server", "client", "page", "turn"}
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert set(service.get("environment", ())) <= known
        assert service.get("network_mode") in (None, "service:janus")
    assert services["client"]["environment"]["BALLSTREAM_URL"] == f"http://server:{PORT}/whep"
    first, last = services["page"]["sysctls"]["net.ipv4.ip_local_port_range"].split()
    assert [port.partition("}:")[2] for port in services["page"]["ports"]] == [
        f"{PORT}:{PORT}",
        f"{first}-{last}:{first}-{last}/udp",
    ]
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert f"EXPOSE {PORT}/tcp" in dockerfile
    assert f"http://127.0.0.1:{PORT}/healthz" in dockerfile
