"""The engine computes on fewer threads than there are cores, and on fewer still while others are at work."""

import os
import subprocess
import sys

import pytest

from fakes.blob_model import BlobModel
from SAMUNetSlicerLib.engine.models import load_catalog
from SAMUNetSlicerLib.engine.serving import (
    EngineService,
    ModelSpec,
    ThreadGovernor,
    cpu_cores,
    cpu_threads,
    limit_threads,
    most_threads,
    wait_passively,
)
from source_tree import MODULE


class Computer:
    """``cores`` physical cores, of which other programs have ``taken``; its clocks stand still in between.

    A computation is one second of work that its threads share; a tenth of it is done by one thread alone.
    Its threads wait for the slowest: where one has half a core, all work at half speed.
    """

    def __init__(self, cores, taken=0.0):
        self.cores, self.taken = cores, taken
        self.wall = self.cpu = 0.0
        self.governor = ThreadGovernor(cores - 1, lambda count: None, lambda: self.wall, lambda: self.cpu)

    def compute(self, times=1):
        for _ in range(times):
            with self.governor.measured():
                threads = self.governor.threads
                speed = min(1.0, max(0.25, (self.cores - self.taken) / threads)) ** 2
                self.wall += (0.1 + 0.9 / threads) / speed
                self.cpu += 1.0
        return self.governor.threads


def test_one_core_fewer_than_there_are_is_used_while_nobody_else_works():
    assert Computer(8).compute(5) == 7 and Computer(2).compute(5) == 1


def test_threads_that_do_not_get_a_core_each_are_given_up_and_taken_again_later():
    computer = Computer(8)
    computer.compute(5)
    computer.taken = 5.0
    busy = computer.compute(8)
    assert busy <= 3
    computer.taken = 0.0
    assert computer.compute(400) == 7


def test_a_single_slow_computation_changes_nothing():
    computer = Computer(8)
    for _ in range(20):
        computer.taken = 6.0
        computer.compute()
        computer.taken = 0.0
        assert computer.compute() == 7


def test_a_thread_that_makes_nothing_faster_is_tried_less_and_less_often():
    computer = Computer(4, taken=2.5)
    counts = [computer.compute() for _ in range(2000)]
    assert counts[-1] == 1
    assert sum(a != b for a, b in zip(counts, counts[1:])) < 16


def test_what_the_user_has_set_is_the_most(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert most_threads() == 5
    for nonsense in ("", "0", "all", "-2"):
        monkeypatch.setenv("OMP_NUM_THREADS", nonsense)
        monkeypatch.setattr(cpu_threads, "usable_cores", lambda: 4)
        assert most_threads() == 3
    monkeypatch.setattr(cpu_threads, "usable_cores", lambda: 1)
    assert most_threads() == 1


def test_the_service_takes_its_threads_from_the_governor_and_lets_it_learn(monkeypatch):
    set_to = []
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(cpu_threads, "usable_cores", lambda: 3)
    monkeypatch.setattr(cpu_threads, "_set_torch_threads", set_to.append)
    governor = ThreadGovernor(set_threads=set_to.append)
    service = EngineService(load=lambda *_: BlobModel(), threads=governor)
    assert set_to == [2] and governor.threads == 2
    learned = []
    monkeypatch.setattr(governor, "_learn", lambda seconds, cores: learned.append(seconds))
    service.load(ModelSpec(load_catalog().get("litemedsam").to_json(), "weights.pth"))
    import numpy as np

    service.encode([np.full((9, 9), value, np.uint8) for value in (1, 2)])
    service.encode([np.full((9, 9), 1, np.uint8)])
    assert len(learned) == 1, "what was in the cache has cost nothing"


def test_waiting_threads_sleep_unless_the_user_wants_otherwise():
    environment = {}
    wait_passively(environment)
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"
    own = {"KMP_BLOCKTIME": "200"}
    wait_passively(own)
    assert own == {"KMP_BLOCKTIME": "200"}


def test_a_command_that_trains_is_limited_with_all_that_it_starts(monkeypatch):
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(cpu_threads, "usable_cores", lambda: 6)
    limit_threads()
    assert os.environ["OMP_NUM_THREADS"] == "5" and os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


def test_the_engine_s_thread_computes_with_the_number_and_passive_waiting_when_nothing_is_set():
    """As on a command line: a fresh interpreter without the variables; the engine imports torch."""
    hidden = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    script = (
        f"import sys, os; sys.path.insert(0, {str(MODULE)!r})\n"
        "from SAMUNetSlicerLib.engine.serving import cpu_threads\n"
        "cpu_threads.usable_cores = lambda: 3\n"
        "from SAMUNetSlicerLib.app.engines import ThreadEngine\n"
        "engine = ThreadEngine()\n"
        "engine.wait(engine.statistics())\n"
        "import torch\n"
        "print(torch.get_num_threads(), os.environ['OMP_WAIT_POLICY'])\n"
        "engine.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2", "PASSIVE"]


class TestLinux:
    """Cores as the kernel describes them."""

    @pytest.fixture
    def describe(self, tmp_path, monkeypatch):
        """Logical CPUs given to the process, by number, with the text that names each one's core."""

        def describe(cores, quota=None):
            monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(cores), raising=False)
            for number, siblings in cores.items():
                (tmp_path / f"cpu{number}" / "topology").mkdir(parents=True)
                (tmp_path / f"cpu{number}" / "topology" / "thread_siblings_list").write_text(siblings)
            if quota is not None:
                (tmp_path / "cpu.max").write_text(quota)
            return cpu_cores.linux_cores(tmp_path, tmp_path / "cpu.max")

        return describe

    def test_two_logical_cpus_of_one_core_count_once(self, describe):
        assert describe({0: "0,4", 1: "1,5", 4: "0,4", 5: "1,5"}) == 2

    @pytest.mark.parametrize(
        ("quota", "cores"), [("max 100000\n", 4), ("250000 100000\n", 2), ("5 100\n", 1)]
    )
    def test_a_container_has_no_more_than_its_share(self, describe, quota, cores):
        assert describe({number: str(number) for number in range(4)}, quota) == cores


def test_macs_name_their_fast_cores(monkeypatch):
    class Answer:
        def __init__(self, command, **_):
            self.stdout = {"hw.perflevel0.physicalcpu": "", "hw.physicalcpu": "6\n"}[command[-1]]

    monkeypatch.setattr(cpu_cores.sys, "platform", "darwin")
    monkeypatch.setattr(cpu_cores.subprocess, "run", Answer)
    assert cpu_cores.usable_cores() == 6


def test_a_system_that_answers_otherwise_than_expected_counts_logical_cpus(monkeypatch):
    monkeypatch.setattr(cpu_cores.sys, "platform", "win32")
    monkeypatch.setattr(cpu_cores.ctypes, "windll", object(), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    assert cpu_cores.usable_cores() == 12


def test_windows_lists_a_record_for_each_core(monkeypatch):
    records = b"".join(
        (0).to_bytes(4, "little") + size.to_bytes(4, "little") + bytes(size - 8) for size in (48, 40, 48)
    )

    class Kernel:
        @staticmethod
        def GetLogicalProcessorInformationEx(kind, buffer, size):
            size._obj.value = len(records)
            if buffer is None:
                return 0
            buffer[: len(records)] = records
            return 1

    class Libraries:
        kernel32 = Kernel

    monkeypatch.setattr(cpu_cores.sys, "platform", "win32")
    monkeypatch.setattr(cpu_cores.ctypes, "windll", Libraries, raising=False)
    assert cpu_cores.usable_cores() == 3
