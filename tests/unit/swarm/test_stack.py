"""A compose file becomes a stack file: what Swarm takes stands, the rest is translated, or left out and said."""

from __future__ import annotations

import pytest

from baker.errors import UsageError
from baker.swarm import deployment, rollout, stack

DIGEST = "sha256:" + "0" * 64
HERE = rollout.Image(
    reference=f"registry.example.com/speech/stt:latest@{DIGEST}",
    checked=True,
    interval=10,
    timeout=120,
    retries=3,
    start_period=0,
    baked=True,
)
OTHERS = rollout.Image(
    reference=f"docker.io/library/redis:8@{DIGEST}",
    checked=False,
    interval=0,
    timeout=0,
    retries=0,
    start_period=0,
    baked=False,
)
CARDS = {"driver": "nvidia", "capabilities": ["gpu"], "count": -1}
# As `docker compose config --format=json` gives it.
SERVICE = {
    "image": "baker/stt:latest",
    "command": ["worker", "--config", "configs/stt.toml"],
    "entrypoint": None,
    "environment": {"HUGGING_FACE_HUB_TOKEN": "hf_secret", "PLAIN": "1"},
    "restart": "unless-stopped",
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "tmpfs": ["/tmp:mode=1777,exec"],
    "deploy": {"resources": {"reservations": {"devices": [CARDS]}}, "placement": {}},
    "networks": {"default": None},
    "ports": [{"mode": "ingress", "target": 8080, "published": "8090", "protocol": "tcp"}],
    "volumes": [{"type": "volume", "source": "huggingface", "target": "/root/.cache/huggingface", "volume": {}}],
}
RAW = {"environment": ["HUGGING_FACE_HUB_TOKEN=${HUGGING_FACE_HUB_TOKEN:-}", "PLAIN=1", "PASSED"]}


def made(service=None, *, image=HERE, raw=RAW, replicas=None, gpu="NVIDIA-GPU", drain=30, **more):
    compose = {
        "name": "speech",
        "services": {"stt": {**SERVICE, **(service or {})}},
        "networks": {"default": {"name": "speech_default", "ipam": {}}},
        "volumes": {"huggingface": {"name": "speech_huggingface"}},
        **more,
    }
    wishes = rollout.Wishes(replicas=replicas or {}, gpu=gpu, drain=drain)
    return stack.make(compose, {"services": {"stt": raw}}, {"stt": image}, wishes)


def stt(*args, **options):
    return made(*args, **options).content["services"]["stt"]


def test_the_whole():
    rolling = {"monitor": "400s", "order": "start-first", "parallelism": 1}
    assert made(replicas={"stt": 2}).content == {
        "version": "3.9",
        "services": {
            "stt": {
                "cap_drop": ["ALL"],
                "command": ["worker", "--config", "configs/stt.toml"],
                "deploy": {
                    "replicas": 2,
                    "resources": {
                        "reservations": {
                            "generic_resources": [{"discrete_resource_spec": {"kind": "NVIDIA-GPU", "value": 1}}]
                        }
                    },
                    "restart_policy": {"condition": "any", "delay": "5s"},
                    "rollback_config": rolling,
                    "update_config": {**rolling, "failure_action": "rollback"},
                },
                "environment": {
                    "HUGGING_FACE_HUB_TOKEN": "${HUGGING_FACE_HUB_TOKEN:-}",
                    "NVIDIA_DRIVER_CAPABILITIES": "compute,utility",
                    "PASSED": None,
                    "PLAIN": "1",
                },
                "image": f"registry.example.com/speech/stt:latest@{DIGEST}",
                "networks": {"default": None},
                "ports": [{"mode": "ingress", "protocol": "tcp", "published": 8090, "target": 8080}],
                "read_only": True,
                "stop_grace_period": "30s",
                "stop_signal": "SIGCONT",
                "volumes": [
                    {"type": "volume", "source": "huggingface", "target": "/root/.cache/huggingface"},
                    {"type": "volume", "target": "/tmp"},
                ],
            }
        },
        "networks": {"default": None},
        "volumes": {"huggingface": {"name": "speech_huggingface"}},
    }


def test_what_is_left_out_or_different_is_said():
    assert made().notes == (
        "left out, since Swarm does not have it: security_opt of stt",
        "/tmp of stt is a volume on disk for each replica: nothing can be run from a tmpfs of Swarm's",
        "stt asks for all cards of a machine; in the stack each replica takes one NVIDIA-GPU",
        "the volume speech_huggingface is another one on every node: models are fetched on each",
    )


def test_an_update_watches_for_longer_than_the_health_check_needs():
    for image, health, least in (
        (HERE, {}, 3 * (10 + 120)),
        (HERE, {"start_period": "10m0s"}, 600 + 3 * (10 + 120)),
        (HERE, {"interval": "1s", "timeout": "2s", "retries": 2}, 2 * (1 + 2)),
        (OTHERS, {"test": ["CMD", "true"], "timeout": "1m30s"}, 3 * (30 + 90)),
    ):
        found = stt({"healthcheck": health}, image=image)
        assert least < rollout.seconds(found["deploy"]["update_config"]["monitor"]) < 2 * least
        assert found.get("healthcheck", {}) == health


def test_an_image_without_a_health_check():
    found = made(image=OTHERS)
    assert "stt has no health check" in " ".join(found.notes)
    assert "stop_signal" not in found.content["services"]["stt"]
    assert "stt has no health check" in " ".join(made({"healthcheck": {"disable": True}}).notes)


def test_the_compose_file_has_the_last_word():
    own = {
        "update_config": {"order": "stop-first", "delay": "1m0s"},
        "restart_policy": {"condition": "none"},
        "replicas": 3,
        "placement": {"constraints": ["node.role == worker"]},
        "labels": {"a": "b"},
    }
    deploy = stt({"deploy": own, "stop_grace_period": "2m0s"})
    assert deploy["stop_grace_period"] == "2m0s"
    assert "stop_signal" not in deploy
    table = deploy["deploy"]
    assert table["update_config"] == {
        "delay": "1m0s",
        "failure_action": "rollback",
        "monitor": "400s",
        "order": "stop-first",
        "parallelism": 1,
    }
    assert {key: table[key] for key in ("restart_policy", "replicas", "placement", "labels")} == {
        key: own[key] for key in ("restart_policy", "replicas", "placement", "labels")
    }
    assert "resources" not in table


def test_cards_by_label_of_the_node_and_several_of_them():
    labelled = stt(gpu="node.labels.gpu=true")
    assert labelled["environment"]["NVIDIA_VISIBLE_DEVICES"] == "all"
    by_label = labelled["deploy"]
    assert by_label["placement"]["constraints"] == ["node.labels.gpu == true"]
    assert "resources" not in by_label
    devices = {"resources": {"reservations": {"devices": [{**CARDS, "count": 2}]}, "limits": {"cpus": 1.5}}}
    resources = stt({"deploy": devices}, gpu="gpu")["deploy"]["resources"]
    assert resources["limits"] == {"cpus": "1.5"}
    assert resources["reservations"]["generic_resources"] == [{"discrete_resource_spec": {"kind": "gpu", "value": 2}}]


@pytest.mark.parametrize(
    ("gpus", "value"),
    [
        # `gpus: all`, as compose's releases write it out.
        ([{"count": -1}], 1),
        ([{"count": "all"}], 1),
        ([{"driver": "nvidia"}], 1),
        ([{"count": 2, "driver": "nvidia"}], 2),
        ([{"device_ids": ["0", "3"]}], 2),
    ],
)
def test_the_short_way_to_ask_for_cards(gpus, value):
    found = made({"gpus": gpus, "deploy": {}}, gpu="gpu")
    service = found.content["services"]["stt"]
    (spec,) = service["deploy"]["resources"]["reservations"]["generic_resources"]
    assert spec == {"discrete_resource_spec": {"kind": "gpu", "value": value}}
    assert service["environment"]["NVIDIA_DRIVER_CAPABILITIES"] == "compute,utility"
    assert "gpus" not in " ".join(found.notes)


def test_restart_policies():
    found = {name: stt({"restart": name})["deploy"]["restart_policy"] for name in ("always", "no", "on-failure:3")}
    assert found == {
        "always": {"condition": "any", "delay": "5s"},
        "no": {"condition": "none", "delay": "5s"},
        "on-failure:3": {"condition": "on-failure", "delay": "5s", "max_attempts": 3},
    }


def test_a_port_of_one_address_is_not_opened_for_all():
    found = made({"ports": [{"target": 8080, "published": "8090", "host_ip": "127.0.0.1", "mode": "ingress"}]})
    assert "ports" not in found.content["services"]["stt"]
    assert "port 8090 of stt is for 127.0.0.1 alone" in " ".join(found.notes)


def test_a_port_of_the_node_is_free_only_when_the_old_replica_has_gone():
    found = made({"ports": [{"target": 8080, "published": "8090", "mode": "host"}]})
    assert found.content["services"]["stt"]["deploy"]["update_config"]["order"] == "stop-first"
    assert "publishes on the node itself" in " ".join(found.notes)


def test_files_networks_and_mounts():
    found = made(
        {
            "networks": {"own": {"aliases": ["ears"], "priority": 1}},
            "secrets": [{"source": "token", "target": "token", "mode": "0400"}],
            "configs": [{"source": "shared", "target": "/app/configs/stt.toml"}],
            "volumes": [
                {"type": "bind", "source": "/srv/models", "target": "/models", "bind": {"create_host_path": True}},
                {"type": "tmpfs", "target": "/run", "tmpfs": {"size": "1048576"}},
            ],
            "tmpfs": ["/var/tmp", "/tmp:mode=1777,size=1m"],
            "mem_limit": "1073741824",
        },
        networks={"own": {"name": "speech_own", "driver": "bridge", "attachable": True}},
        secrets={"token": {"name": "speech_token", "file": "/home/me/token"}},
        configs={"shared": {"name": "shared", "external": True}},
    )
    service = found.content["services"]["stt"]
    assert service["networks"] == {"own": {"aliases": ["ears"]}}
    assert service["secrets"] == [{"source": "token", "target": "token", "mode": 0o400}]
    assert service["volumes"] == [
        {"type": "bind", "source": "/srv/models", "target": "/models"},
        {"type": "tmpfs", "target": "/run", "tmpfs": {"size": 1048576}},
        {"type": "tmpfs", "target": "/var/tmp"},
        {"type": "tmpfs", "target": "/tmp"},
    ]
    assert "/tmp of stt is a tmpfs without size=1m" in " ".join(found.notes)
    assert service["deploy"]["resources"]["limits"] == {"memory": "1073741824"}
    assert found.content["networks"] == {"own": {"attachable": True}}
    assert found.content["secrets"] == {"token": {"file": "/home/me/token"}}
    assert found.content["configs"] == {"shared": {"name": "shared", "external": True}}
    assert "/srv/models, which stt mounts, has to be there on every node" in " ".join(found.notes)


@pytest.mark.parametrize(
    ("service", "more", "message"),
    [
        ({"ports": [{"target": 80, "published": "8000-8010"}]}, {}, "no range of ports"),
        ({"volumes": [{"type": "npipe", "target": "/x"}]}, {}, "a mount of type npipe"),
        ({"deploy": {"endpoint_mode": "dnsrr"}}, {}, "no mesh .*ports: !reset"),
        ({"deploy": {"mode": "global"}}, {"replicas": {"stt": 2}}, "one replica on each node"),
        ({}, {"replicas": {"sst": 2}}, "'sst' is no service of the stack"),
        ({"secrets": [{"source": "a"}]}, {"secrets": {"a": {"environment": "A"}}}, "comes from no file"),
        ({"healthcheck": {"interval": "soon"}}, {}, "'soon' is no duration"),
    ],
)
def test_what_swarm_cannot_do_is_an_error(service, more, message):
    with pytest.raises(UsageError, match=message):
        made(service, **more)


def test_replicas_of_the_command_line():
    assert deployment.wishes(["stt=2,tts=1", "redis=3"], "gpu", 0).replicas == {"stt": 2, "tts": 1, "redis": 3}
    with pytest.raises(UsageError, match="write it as in stt=2"):
        deployment.wishes(["2"], "gpu", 0)
