"""`baker deploy --swarm` on a Swarm of one node, a second engine: updated under load, rolled back when unhealthy."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docker import second_engine
from tests.docker.project import Project, failure

HERE = Path(__file__).with_name("swarm")
PATIENCE = 120
VERSIONS = {"one": "true", "two": "true", "sick": "false"}
COMPOSE = """
services:
  hello:
    image: {image}
    restart: unless-stopped
    read_only: true
    tmpfs: ["/tmp:mode=1777,exec"]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    environment: ["GREETING=${{GREETING:-none}}"]
    ports: ["{port}:8080"]
    volumes: ["kept:/kept"]
volumes:
  kept:
networks:
  default:
    attachable: true
"""
# Where the kernel has no IPVS there is no mesh, and no address for all replicas: names lead to each of them, in turn.
WITHOUT_MESH = "services:\n  hello:\n    ports: !reset []\n    deploy:\n      endpoint_mode: dnsrr\n"
PORT = 18090
# Over that: for machines with a card.
WITH_CARD = """
services:
  hello:
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              count: 1
              capabilities: [gpu]
"""


@dataclass(frozen=True)
class Swarm:
    """A manager that is alone; `mesh` says whether its kernel can do what published ports take."""

    host: str
    mesh: bool

    def docker(self, *argv: str) -> str:
        return subprocess.run(
            ["docker", "--host", self.host, *argv], check=True, capture_output=True, text=True, timeout=PATIENCE
        ).stdout

    def service(self, name: str) -> dict:
        (found,) = json.loads(self.docker("service", "inspect", name))
        return found

    def settled(self, name: str) -> str:
        """Return how a service's update to what was deployed last ended: "completed" or "rollback_completed"."""
        give_up = time.monotonic() + PATIENCE
        while True:
            state = self.service(name).get("UpdateStatus", {}).get("State", "")
            if state.endswith("completed"):
                return state
            assert time.monotonic() < give_up, self.docker("service", "ps", "--no-trunc", name)
            time.sleep(0.5)

    def running(self, name: str, replicas: int) -> None:
        """Return when so many replicas of a service are healthy."""
        give_up = time.monotonic() + PATIENCE
        while f"{replicas}/{replicas}" not in self.docker("service", "ls", "--filter", f"name={name}"):
            assert time.monotonic() < give_up, self.docker("service", "ps", "--no-trunc", name)
            time.sleep(0.5)


@pytest.fixture(scope="module")
def home(engine, debian_root, registry):
    """A repository path with an image of each version."""
    path = f"{registry}/baker-test/swarm-{uuid.uuid4().hex[:8]}"
    names = []
    for version, health in VERSIONS.items():
        names.append(f"{path}/hello:{version}")
        arguments = {"ROOT": debian_root, "VERSION": version, "HEALTH": health}
        build = [f"--build-arg={key}={value}" for key, value in arguments.items()]
        subprocess.run(["docker", "buildx", "build", "--load", f"--tag={names[-1]}", *build, HERE], check=True)
        subprocess.run(["docker", "push", "--quiet", names[-1]], check=True)
    yield path
    for name in names:
        engine.images.remove(name)


@pytest.fixture(scope="module")
def swarm(engine, debian_root, registry):
    config = {"node-generic-resources": ["NVIDIA-GPU=GPU-first", "NVIDIA-GPU=GPU-second"]}
    with second_engine.running(engine, debian_root, registry=registry, config=config) as host:
        alone = Swarm(host=host, mesh=False)
        alone.docker("swarm", "init", "--advertise-addr=127.0.0.1")
        look = ["run", "--rm", "--network=host", debian_root, "test", "-e", "/proc/net/ip_vs"]
        mesh = subprocess.run(["docker", "--host", host, *look], check=False).returncode == 0
        yield Swarm(host=host, mesh=mesh)


@pytest.fixture(scope="module")
def compose(make_project):
    project = make_project()
    image = project.image
    project.write("docker-compose.yml", COMPOSE.format(image=image, port=PORT))
    project.write("no-mesh.yml", WITHOUT_MESH)
    project.write("card.yml", WITH_CARD)
    return project


def deploy(project: Project, swarm: Swarm, home: str, tag: str, *more: str) -> str:
    """Write the stack file of a version and deploy it; return its image."""
    files = ["-f", "docker-compose.yml", *([] if swarm.mesh else ["-f", "no-mesh.yml"])]
    own = ["--registry", home, "--tag", tag, "--replicas", "hello=2", "--drain", "5"]
    argv = ["deploy", "--swarm", *files, *own, *more]
    told = project.baker(*argv, "--json", GREETING="a token")
    assert told.returncode == 0, told.stderr
    made = json.loads(told.stdout)
    assert "a token" not in (project.root / "docker-stack.yml").read_text()
    command = made["command"].split()
    assert command[:3] == ["docker", "stack", "deploy"]
    subprocess.run(
        ["docker", "--host", swarm.host, *command[1:]],
        cwd=project.root,
        env={**os.environ, "GREETING": "hello"},
        check=True,
        timeout=PATIENCE,
    )
    return made["images"]["hello"]


@pytest.fixture(scope="module")
def running(swarm, compose, home):
    """The service's name, with two replicas of the first version."""
    deploy(compose, swarm, home, "one")
    name = f"{compose.root.name}_hello"
    swarm.running(name, 2)
    return name


class Load:
    """The client, in a container of the second engine."""

    def __init__(self, swarm: Swarm, home: str, name: str) -> None:
        self._swarm = swarm
        stack = name.removesuffix("_hello")
        network, target = ("host", ["127.0.0.1", str(PORT)]) if swarm.mesh else (f"{stack}_default", ["hello", "8080"])
        image, script = f"{home}/hello:one", ["/app/load.py", *target]
        start = ["run", "--detach", f"--network={network}", "--no-healthcheck", "--entrypoint=python3"]
        self._id = swarm.docker(*start, image, *script).strip()
        time.sleep(2)

    def end(self) -> dict:
        self._swarm.docker("stop", "--time=20", self._id)
        told = self._swarm.docker("logs", self._id)
        self._swarm.docker("rm", self._id)
        return json.loads(told)


def test_deployed_by_digest_with_what_the_stack_file_says(swarm, running, home):
    service = swarm.service(running)
    spec = service["Spec"]["TaskTemplate"]["ContainerSpec"]
    assert spec["Image"].startswith(f"{home}/hello:one@sha256:")
    assert spec["Env"] == ["GREETING=hello"]
    assert spec["ReadOnly"] is True
    assert spec["StopSignal"] == "SIGCONT"
    assert service["Spec"]["UpdateConfig"]["FailureAction"] == "rollback"
    assert service["Spec"]["UpdateConfig"]["Order"] == "start-first"
    assert service["Spec"]["Mode"]["Replicated"]["Replicas"] == 2
    # What the compose file lets run from /tmp runs from there, under a root that cannot be written.
    task = swarm.docker("ps", "--quiet", "--filter", f"label=com.docker.swarm.service.name={running}").split()[0]
    swarm.docker("exec", task, "sh", "-c", "cp /bin/true /tmp/program && /tmp/program && ! touch /app/file")


def test_updated_under_load_without_a_refused_connection(swarm, running, compose, home):
    load = Load(swarm, home, running)
    image = deploy(compose, swarm, home, "two")
    assert swarm.settled(running) == "completed"
    time.sleep(6)
    told = load.end()
    assert set(told["answers"]) == {"one", "two"}, told
    assert min(told["answers"].values()) > 20, told
    assert swarm.service(running)["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == image
    assert image.startswith(f"{home}/hello:two@sha256:")
    # Who was connected was served until the old replica's time was over, and never by another.
    assert told["kept"][0] == "one", told


def test_rolled_back_when_the_new_image_is_unhealthy(swarm, running, compose, home):
    before = swarm.service(running)["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    load = Load(swarm, home, running)
    deploy(compose, swarm, home, "sick")
    assert swarm.settled(running) == "rollback_completed"
    time.sleep(3)
    told = load.end()
    # The sick one answers, as moshi-server does when its model loop has died; nobody was sent to it.
    last = before.partition("@")[0].rpartition(":")[2]
    assert set(told["answers"]) == {last}, told
    assert told["kept"] == [last], told
    assert swarm.service(running)["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == before


def test_a_card_for_each_replica_or_a_node_with_a_label(swarm, running, compose, home):
    def tasks():
        """Return the tasks that are wanted now."""
        ids = swarm.docker("service", "ps", "--quiet", running).split()
        found = json.loads(swarm.docker("inspect", "--type=task", *ids))
        return [item for item in found if item["DesiredState"] == "running"]

    card = ["-f", "card.yml"]
    deploy(compose, swarm, home, "two", *card, "--replicas", "hello=1")
    assert swarm.settled(running) == "completed"
    (task,) = tasks()
    assert task["Spec"]["Resources"]["Reservations"]["GenericResources"]
    (card_of_task,) = [item["NamedResourceSpec"] for item in task["GenericResources"]]
    assert card_of_task["Kind"] == "NVIDIA-GPU"
    container = task["Status"]["ContainerStatus"]["ContainerID"]
    environment = swarm.docker("exec", container, "env").split()
    assert f"DOCKER_RESOURCE_NVIDIA-GPU={card_of_task['Value']}" in environment
    # A node gets its label, and only then a replica that wants one.
    deploy(compose, swarm, home, "one", *card, "--replicas", "hello=1", "--gpu", "node.labels.gpu=true")
    time.sleep(5)
    assert [item["Status"].get("Err") for item in tasks() if item["Status"]["State"] == "pending"] == [
        "no suitable node (scheduling constraints not satisfied on 1 node)"
    ]
    node = swarm.docker("node", "ls", "--quiet").strip()
    swarm.docker("node", "update", "--label-add=gpu=true", node)
    assert swarm.settled(running) == "completed"


def test_what_is_not_published_is_an_error(compose, home):
    said = failure(compose.baker("deploy", "--swarm", "--registry", home, "--tag", "three"), 2)
    assert "it has one, sick, two" in said
    assert "baker publish hello" in said
