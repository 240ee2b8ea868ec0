"""The manifests of the docs are what a Kubernetes API server takes, and fit the images."""

from __future__ import annotations

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from baker.config import project
from baker.dockerfile import planner
from tests.unit import choices

DOCS = Path(__file__).parents[3] / "docs"
MANIFESTS = sorted((DOCS / "kubernetes").glob("*.yaml"))
PROBE = ["/opt/baker/bin/moshi-health"]
# The oldest that is still patched by somebody, and the newest that there are schemas for.
VERSIONS = ("1.28", kubernetes_validate.latest_version())


def documents(path: Path) -> list[dict]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def test_there_are_manifests():
    assert [path.name for path in MANIFESTS] == ["buildkitd.yaml", "moshi-server.yaml"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_schema(path, version):
    for document in documents(path):
        kubernetes_validate.validate(document, version, strict=True)


def test_a_wrong_key_would_be_seen():
    document = documents(DOCS / "kubernetes/moshi-server.yaml")[0]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**document, "nonsense": 1}, "1.28", strict=True)


@pytest.mark.parametrize("name", ["stt", "tts"])
def test_the_deployments_fit_the_images(name):
    found = project.find(DOCS)
    choice = choices.choice()
    (image,) = planner.make(
        found.read_services((name,)), found.read_pins(), found.read_settings().mirrors, choice, found.services_folder
    ).services
    everything = documents(DOCS / "kubernetes/moshi-server.yaml")
    (spec,) = [item["spec"] for item in everything if (item["kind"], item["metadata"]["name"]) == ("Deployment", name)]
    (service,) = [item["spec"] for item in everything if (item["kind"], item["metadata"]["name"]) == ("Service", name)]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert tuple(container["args"]) == image.command
    assert [port["containerPort"] for port in container["ports"]] == [image.port]
    mounted = {Path(mount["mountPath"]) for mount in container["volumeMounts"]}
    assert [path for path in image.mounts if not mounted & {Path(path), *Path(path).parents}] == []
    assert {container[f"{kind}Probe"]["exec"]["command"][0] for kind in ("startup", "readiness", "liveness")} == {
        image.health[0]
    }
    assert pod["securityContext"]["runAsUser"] == 1000
    # What is sent away has time to leave before the server ends.
    assert int(container["lifecycle"]["preStop"]["exec"]["command"][1]) < pod["terminationGracePeriodSeconds"]
    # A pod is not given up on while its start may still take.
    start = container["startupProbe"]
    assert start["periodSeconds"] * start["failureThreshold"] <= spec["progressDeadlineSeconds"]
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"] == service["selector"]
