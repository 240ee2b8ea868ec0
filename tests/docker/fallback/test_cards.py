"""docs/fallback.md: which cards and drivers a start takes."""

from __future__ import annotations

import pytest

from tests.docker.fallback.machine import L4, NO_DRIVER, T4, WORKER, Machine, card, until_said


@pytest.mark.parametrize(
    ("cards", "capability", "named"),
    [
        ([L4], "80", "NVIDIA L4 (8.9), driver 570.86.15"),
        (["NVIDIA H100, 9.0, 570.86.15"] * 2, "90", "2 x NVIDIA H100 (9.0), driver 570.86.15"),
        (
            ["NVIDIA B200, 10.0, 570.86.15", "NVIDIA A100, 8.0, 570.86.15"],
            "80",
            "NVIDIA B200 (10.0), NVIDIA A100 (8.0)",
        ),
        (["NVIDIA GeForce RTX 5090, 12.0, 581.29"], "90", "NVIDIA GeForce RTX 5090 (12.0)"),
    ],
)
def test_best_baked_binary_for_every_visible_card(
    machine: Machine, cards: list[str], capability: str, named: str
) -> None:
    start = machine.start(*WORKER, env=card(*cards))
    binary = f"/opt/baker/bin/moshi-server-cuda-{capability}"
    start.runs(binary, f"run: 0.6.4 (cuda) on {named}", f": {binary}")
    assert start.args == list(WORKER)


@pytest.mark.parametrize(
    "line",
    [
        "NVIDIA GH200 480GB, 9.0, 575.57.08",
        "NVIDIA GB10, 12.1, 580.95.05",
        "NVIDIA Thor, 11.0, 580.00",
        "NVIDIA GB200, 10.0, 570.124.06",
    ],
)
def test_what_nvidia_smi_says_on_arm64(machine: Machine, line: str) -> None:
    name, capability, driver = line.split(", ")
    start = machine.start(*WORKER, env=card(line))
    start.runs("/opt/baker/bin/moshi-server-cuda-90", f"on {name} ({capability}), driver {driver}")


@pytest.mark.parametrize("line", ["Orin (nvgpu), [N/A], 540.3.0", "Orin (nvgpu), 8.7, 540.4.0"])
def test_orin_has_libraries_of_its_own(machine: Machine, line: str) -> None:
    env = card(line)
    said = ("Orin (nvgpu): ", "part of L4T", "MOSHI_SERVER_BIN", "--cpu")
    machine.start(*WORKER, env=env).refuses(58, "card-unsupported", *said)
    machine.start(*WORKER, "--cpu", env=env).runs("/opt/baker/bin/moshi-server-cuda-80")


@pytest.mark.parametrize("cards", [[T4], [L4, T4]])
def test_card_older_than_every_baked_binary(machine: Machine, cards: list[str]) -> None:
    start = machine.start("worker", "--config", "configs/asr.toml", env=card(*cards))
    start.refuses(
        40, "card-too-old", "Tesla T4 (7.5)", "(8.0, 9.0)", "`baker build --compute-cap 75`", 'dtype_override = "f32"'
    )


def test_binary_for_turing_wants_a_dtype(machine: Machine) -> None:
    env = card(T4, HF_HOME="/standins/cache", CUDA_CACHE_PATH="/tmp/jit")
    start = machine.start("worker", "--config", "configs/asr.toml", image="turing", env=env)
    start.runs("/opt/baker/bin/moshi-server-cuda-75", notes=1)
    assert 'configs/asr.toml needs dtype_override = "f32"' in start.said[0]


def test_only_the_chosen_cards_count(machine: Machine) -> None:
    env = card(L4, CUDA_VISIBLE_DEVICES="-1")
    machine.start(*WORKER, env=env).refuses(42, "no-card", "CUDA_VISIBLE_DEVICES=-1 hides every card")


@pytest.mark.parametrize("chosen", ["none", "", "NoDevFiles", " -1", "all"])
def test_no_card_is_chosen(machine: Machine, chosen: str) -> None:
    env = card(L4, CUDA_VISIBLE_DEVICES=chosen)
    machine.start(*WORKER, env=env).refuses(42, "no-card", f"CUDA_VISIBLE_DEVICES={chosen} hides every card", "--cpu")


@pytest.mark.parametrize(("cards", "chosen"), [([L4], "2"), ([L4], "1,0"), ([L4, T4], "2"), ([L4, T4], "9999999")])
def test_chosen_card_is_not_here(machine: Machine, cards: list[str], chosen: str) -> None:
    start = machine.start(*WORKER, env=card(*cards, CUDA_VISIBLE_DEVICES=chosen))
    said = f"CUDA_VISIBLE_DEVICES={chosen} " + ("hides every card" if len(chosen) > 4 else "names none of the")
    start.refuses(42, "no-card", said)


@pytest.mark.parametrize("chosen", ["0", "0,2", "0,none,1", "00", " 0", "MIG-1c3f", "GPU-1c3f"])
def test_chosen_card_is_here(machine: Machine, chosen: str) -> None:
    machine.start(*WORKER, env=card(L4, CUDA_VISIBLE_DEVICES=chosen)).runs("/opt/baker/bin/moshi-server-cuda-80")


@pytest.mark.parametrize(("chosen", "ends"), [("0", False), ("1", True), ("0,1", True), ("0,2,1", False)])
def test_numbers_select_cards_in_the_order_of_the_bus(machine: Machine, chosen: str, ends: bool) -> None:  # noqa: FBT001 - a case of a table
    env = card(L4, T4, CUDA_VISIBLE_DEVICES=chosen, CUDA_DEVICE_ORDER="PCI_BUS_ID")
    start = machine.start(*WORKER, env=env)
    if ends:
        start.refuses(40, "card-too-old", "Tesla T4 (7.5)")
    else:
        start.runs("/opt/baker/bin/moshi-server-cuda-80", "on NVIDIA L4 (8.9), driver")


def test_name_of_a_card_that_is_not_here(machine: Machine) -> None:
    name = "GPU-00000000-0000-0000-0000-000000000000"
    env = card("No devices were found", CARDS_STATUS="6", CUDA_VISIBLE_DEVICES=name)
    start = machine.start(*WORKER, env=env)
    start.refuses(42, "no-card", f"CUDA_VISIBLE_DEVICES={name} names no card here", "No devices were found")


def test_card_that_does_not_answer(machine: Machine) -> None:
    start = machine.start(*WORKER, env=card(L4, CARDS_STUCK="1", MOSHI_CARD_WAIT="2"))
    start.refuses(55, "card-silent", "nvidia-smi did not answer within 2 s", "dmesg", "MOSHI_CARD_WAIT")


def test_slow_card_is_waited_for(machine: Machine) -> None:
    env = card(L4, CARDS_SLOW="2")
    machine.start(*WORKER, env=env).runs("/opt/baker/bin/moshi-server-cuda-80", "NVIDIA L4 (8.9)")


def test_no_process_is_left_beside_the_server(machine: Machine) -> None:
    """What asked the card has ended and was waited for: a server does not look after children that it does not know."""
    with machine.started(*WORKER, env=card(L4, SERVER_STAYS="1")) as container:
        until_said(container, "binary ")
        states = container.exec_run(["sh", "-c", "cat /proc/[0-9]*/stat"]).output
        assert isinstance(states, bytes)
        assert b") Z " not in states, states
        assert states.count(b"(moshi-server-cu)") == 1, states


def test_cuda_compat_is_beyond_the_drivers_version(machine: Machine) -> None:
    env = card("NVIDIA A100, 8.0, 535.54.03")
    machine.start(*WORKER, env=env).refuses(41, "driver-too-old", "535.54.03", "MOSHI_CUDA_COMPAT=1")
    start = machine.start(*WORKER, env={**env, "MOSHI_CUDA_COMPAT": "1"})
    start.runs("/opt/baker/bin/moshi-server-cuda-80", "driver 535.54.03, with cuda-compat by MOSHI_CUDA_COMPAT=1")


@pytest.mark.parametrize(
    ("env", "found"),
    [(card("NVIDIA A100, 8.0, 550.54.09"), "550.54.09"), (card("", CARDS_OLD="470.182.03"), "470.182.03")],
    ids=["older", "too old to be asked for compute_cap"],
)
def test_driver_older_than_the_toolkit_needs(machine: Machine, env: dict[str, str], found: str) -> None:
    machine.start(*WORKER, env=env).refuses(41, "driver-too-old", f"the driver is {found}, CUDA 12.4 needs 550.54.14")


def test_an_older_toolkit_is_named_that_the_driver_takes(machine: Machine) -> None:
    env = card("NVIDIA A100, 8.0, 565.57.01")
    start = machine.start(*WORKER, env=env, image="newer")
    start.refuses(41, "driver-too-old", "CUDA 12.8 needs 570.26", "or bake with CUDA 12.6, which it takes")


def test_no_driver_and_no_wish(machine: Machine) -> None:
    ways_out = ("--gpus all", "NVIDIA container toolkit", "--cpu or MOSHI_ACCEL=cpu")
    machine.start(*WORKER).refuses(42, "no-card", *ways_out)


def test_driver_that_fails_is_quoted(machine: Machine) -> None:
    env = card("Failed to initialize NVML: Driver/library version mismatch", CARDS_STATUS="18")
    machine.start(*WORKER, env=env).refuses(42, "no-card", 'nvidia-smi says "Failed to initialize NVML', "--gpus all")


@pytest.mark.parametrize("env", [NO_DRIVER, card("NVIDIA Thor, [N/A], 580.00")], ids=["no nvidia-smi", "no answer"])
def test_card_that_cannot_be_asked(machine: Machine, env: dict[str, str]) -> None:
    driver = {"LD_LIBRARY_PATH": "/standins/driver"}
    start = machine.start(*WORKER, env={**env, **driver}, devices=["/dev/null:/dev/dxg"])
    start.runs("/opt/baker/bin/moshi-server-cuda-80", "on a card that could not be asked:")


def test_driver_without_its_library(machine: Machine) -> None:
    env = {**card(L4), "LD_LIBRARY_PATH": ""}
    machine.start(*WORKER, env=env).refuses(43, "driver-not-mounted", "libcuda.so.1", "NVIDIA_DRIVER_CAPABILITIES")
