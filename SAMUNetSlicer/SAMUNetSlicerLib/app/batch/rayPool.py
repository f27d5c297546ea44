"""Run the workers of a batch on the machines of a Ray cluster: one actor per device, which keeps its model.

All machines must see images, prompts and results under the same paths, and have this package installed.
Ray restarts an actor that dies, and gives it its case once more.
"""

import os
import socket
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Sequence

from ...atomicFiles import sha256Of
from ...engine.serving import ModelSpec
from ...errors import EngineError, InputError, UserError
from ..engines import EngineLaunch
from ..jobs import FAILED, CaseRecord
from ..models import modelSpec
from .caseTask import CaseTask
from .localPool import Event
from .lock import workerMark
from .workerProcess import Started

LOCAL = "local"  # the address of a cluster that is started on this machine, for this batch alone

_RETRIES = 1
_WAIT_SECONDS = 1.0
_CONNECT_SECONDS = 5.0
_THREADS = "OMP_NUM_THREADS"


class RayPool:
    """Runs cases on a Ray cluster, as `WorkerPool` does on this machine.

    :param address: of the cluster, such as "auto", "10.0.0.1:6379" or "ray://host:10001", or ``LOCAL``.
    :param devices: one for each actor: "auto", "cpu", "cuda"; none for every GPU of the cluster, or every
        core if it has none.
    :param folder: of the results.
    :param launch: how the engines are started; of its environment only the number of threads is taken over.
    :raises InputError: the package ray is missing.
    :raises EngineError: there is no cluster at the address.
    """

    def __init__(self, address: str, devices: Sequence[str], folder: Path, launch: EngineLaunch):
        self._ray = _connected(address, len(devices))
        self._devices = list(devices)
        self._folder = str(folder)
        self._launch = launch
        self._actors: List = []

    def run(self, tasks: Iterable[CaseTask]) -> Iterator[Event]:
        """Yield what happens until every case has its record.

        :raises EngineError: a machine does not see the folder of the results.
        """
        waiting = deque(tasks)
        self._actors = [self._actor(device) for device in self._chosen()[: len(waiting)]]
        self._ray.get([actor.check.remote() for actor in self._actors])
        free, running = list(self._actors), {}
        while waiting or running:
            while waiting and free:
                task, actor = waiting.popleft(), free.pop()
                running[actor.run.remote(task)] = task, actor
                yield Started(task.case.name)
            for answer in self._ray.wait(list(running), timeout=_WAIT_SECONDS)[0]:
                task, actor = running.pop(answer)
                free.append(actor)
                yield self._record(answer, task)

    def close(self) -> None:
        """End the actors, whose unfinished cases are given up, and leave the cluster."""
        for actor in self._actors:
            self._ray.kill(actor)
        self._actors.clear()
        self._ray.shutdown()

    def _chosen(self) -> List[str]:
        found = self._ray.cluster_resources()
        gpus, cores = (int(found.get(name, 0)) for name in ("GPU", "CPU"))
        every = ["cuda"] * gpus or ["cpu"] * max(1, cores)
        return [every[0] if each == "auto" else each for each in self._devices] or every

    def _actor(self, device: str):
        isGpu = device.startswith("cuda")
        options = {"num_cpus": 1, "num_gpus": 1 if isGpu else 0}
        remote = self._ray.remote(max_restarts=-1, max_task_retries=_RETRIES, **options)(RayWorker)
        threads = (self._launch.environment or {}).get(_THREADS, "1")
        launch = replace(self._launch, environment=None)
        # Ray shows each actor its own GPU only, which is then the first one.
        return remote.remote(launch, self._folder, "cuda:0" if isGpu else device, threads)

    def _record(self, answer, task: CaseTask) -> CaseRecord:
        try:
            return self._ray.get(answer)
        except self._ray.exceptions.RayError as error:
            return task.record(
                state=FAILED,
                error=EngineError.__name__,
                message=f"The machine or process that segmented it was lost {_RETRIES + 1} times "
                f"({type(error).__name__}): it may need more memory than there is.",
            )


class RayWorker:
    """One actor: an engine that stays loaded from case to case; plain data in, plain data out."""

    def __init__(self, launch: EngineLaunch, folder: str, device: str, threads: str):
        # Imported here, so that the process that asks needs neither MRML nor VTK.
        from ..engines import ProcessEngine
        from .caseRunner import CaseRunner

        self._folder, self._device = Path(folder), device
        environment = {**os.environ, _THREADS: threads}
        self._runner = CaseRunner(ProcessEngine(replace(launch, environment=environment)))
        self._digests: Dict[str, str] = {}

    def check(self) -> None:
        """Check that this machine sees the folder of the results.

        :raises EngineError: the folder of the results is not the one of the process that asks.
        """
        if not os.access(self._folder, os.W_OK):
            raise EngineError(
                f"The machine {socket.gethostname()} cannot write to {self._folder}: put images and results "
                "on a disk that all machines of the cluster share."
            )

    def run(self, task: CaseTask) -> CaseRecord:
        """Segment a case and write its results."""
        try:
            spec = replace(self._specHere(task), device=self._device)
        except UserError as error:
            return task.record(state=FAILED, error=type(error).__name__, message=str(error))
        with workerMark(self._folder):
            return self._runner.run(replace(task, spec=spec))

    def _specHere(self, task: CaseTask) -> ModelSpec:
        """Return the spec with the same weights as this machine keeps them, perhaps elsewhere."""
        spec = task.spec
        if not spec.weights or Path(spec.weights).exists():
            return spec
        weights = str(modelSpec(spec.model_id, precision=spec.precision).weights)
        if weights not in self._digests:
            self._digests[weights] = sha256Of(Path(weights))
        if self._digests[weights] != task.weightsDigest:
            raise EngineError(
                f"The machine {socket.gethostname()} has other weights of {spec.model_id}: install the same "
                "version there, or give the weights by a path that all machines share."
            )
        return replace(spec, weights=weights)


def _connected(address: str, workers: int):
    try:
        import ray
    except ImportError as error:
        raise InputError("Batches on several machines need the package ray: pip install 'ray'.") from error
    options = {"num_cpus": workers or None, "include_dashboard": False} if address == LOCAL else {}
    try:
        _requireListener(address)
        ray.init(address, log_to_driver=False, logging_level="ERROR", **options)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise EngineError(
            f"There is no Ray cluster at '{address}': start one by `ray start --head`, or use --ray local."
        ) from error
    return ray


def _requireListener(address: str) -> None:
    """Ray itself tries for minutes, and writes about it."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
