import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from models.errors import Problem
from playground.service import device as device_module
from playground.service.device import Device, cores, memory_bytes


@pytest.fixture
def cuda(monkeypatch):
    """A machine that says it has CUDA."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


@pytest.fixture
def no_gpu(monkeypatch):
    """A machine with a CPU and nothing else."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_auto_takes_the_cpu_where_there_is_nothing_better(no_gpu):
    device = Device()
    assert (device.device, device.dtype, device.bytes_per_weight) == (torch.device("cpu"), "float32", 4)


def test_auto_takes_cuda_where_there_is_one(cuda):
    assert Device().kind == "cuda" and Device().dtype == "float32"


def test_auto_takes_mps_before_the_cpu(no_gpu, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert Device().kind == "mps"


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_refused_at_once(no_gpu, kind):
    with pytest.raises(Problem) as caught:
        Device(kind)
    assert (caught.value.key, caught.value.values) == ("no_such_device", {"device": kind})


@pytest.mark.parametrize("dtype, size, here, elsewhere", [("bfloat16", 2, "cuda", "cpu"), ("int8", 1, "cpu", "cuda")])
def test_small_numbers_are_refused_where_they_cannot_be_had(cuda, dtype, size, here, elsewhere):
    device = Device(here, dtype)
    assert (device.dtype, device.bytes_per_weight) == (dtype, size)
    with pytest.raises(Problem) as caught:
        Device(elsewhere, dtype)
    assert (caught.value.key, caught.value.values) == ("dtype_not_here", {"dtype": dtype, "device": elsewhere})


@pytest.mark.parametrize("arguments", [("tpu",), ("cpu", "int3")])
def test_an_unknown_device_or_dtype_is_the_callers_mistake(arguments):
    with pytest.raises(ValueError, match="tpu|int3"):
        Device(*arguments)


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


@pytest.mark.parametrize(
    "files, expected",
    [
        ({}, 8),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "5000 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
    ],
)
def test_the_quota_of_a_container_counts(tmp_path, monkeypatch, files, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    assert cores(write(tmp_path, files)) == expected


def test_the_memory_limit_of_a_container_counts(tmp_path):
    machine = memory_bytes(tmp_path / "none")
    assert machine > 500 << 20
    assert memory_bytes(write(tmp_path / "a", {"memory.max": "max\n"})) == machine
    assert memory_bytes(write(tmp_path / "b", {"memory.max": str(300 << 20)})) == 300 << 20
    assert memory_bytes(write(tmp_path / "c", {"memory/memory.limit_in_bytes": str(400 << 20)})) == 400 << 20


def test_torch_computes_on_no_more_threads_than_there_are_processors_for_it(no_gpu, monkeypatch):
    chosen = []
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    monkeypatch.setattr(device_module, "cores", lambda: 2)
    assert Device().device == torch.device("cpu")
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert Device().device == torch.device("cpu")
    assert chosen == [2]


def test_models_may_take_a_share_of_the_memory(monkeypatch):
    monkeypatch.setattr(device_module, "memory_bytes", lambda: 10_000)
    assert Device("cpu").budget_bytes == 6_000


def test_the_service_is_ready_without_torch_and_without_the_web():
    code = """
import sys
from models.catalogue import Catalogue
from playground.service.playground import Playground
with Playground(Catalogue(), find_task=lambda name: None) as playground:
    assert playground.models()
print([name for name in ("torch", "transformers", "gradio", "plotly") if name in sys.modules])
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert found.stdout.strip() == "[]"
