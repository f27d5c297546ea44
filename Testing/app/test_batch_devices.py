"""How many processes a batch has, and where."""

import pytest

from SAMUNetSlicerLib.app.batch import devices, threadsVariables, workerDevices
from SAMUNetSlicerLib.errors import InputError


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Eight cores and 10 GiB."""
    monkeypatch.setattr(devices.os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(devices, "_memory", lambda: 10 << 30)


def test_a_gpu_has_one_process_and_a_cpu_as_many_as_cores_and_memory_are_enough_for():
    assert workerDevices(["cuda:0", "cuda:1"], None) == ("cuda:0", "cuda:1")
    assert workerDevices(["cpu"], None, threads=1) == ("cpu",) * 5
    assert workerDevices(["cpu"], None, threads=4) == ("cpu",) * 2
    assert workerDevices(["cpu"], None, threads=16) == ("cpu",)


def test_processes_take_the_devices_in_turn():
    assert workerDevices(["cuda:0", "cuda:1"], 3) == ("cuda:0", "cuda:1", "cuda:0")
    with pytest.raises(InputError, match="at least one worker"):
        workerDevices(["cpu"], 0)


@pytest.mark.parametrize(("found", "expected"), [(["cuda:0", "cpu"], ("cuda:0",)), (["cpu"], ("cpu",) * 5)])
def test_auto_takes_every_gpu_or_the_cpu(monkeypatch, found, expected):
    monkeypatch.setattr("SAMUNetSlicerLib.engine.models.device.available_devices", lambda: found)
    assert workerDevices(["auto"], None) == expected


def test_threads_are_set_for_the_cpu_alone(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert threadsVariables(["cpu"], 3)["OMP_NUM_THREADS"] == "3"
    assert "OMP_NUM_THREADS" not in threadsVariables(["cuda:0"], 3)
