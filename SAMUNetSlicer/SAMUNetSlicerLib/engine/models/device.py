"""Choose where and how precisely a network runs, and handle lack of memory there."""

import gc
from typing import Callable, Iterable, List, Optional, Sequence, Tuple, TypeVar

import torch

from ...errors import EngineError
from .base import PromptableModel

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_devices() -> List[str]:
    """Return devices that can be asked for, best first; "cpu" is always the last."""
    return [f"cuda:{i}" for i in range(torch.cuda.device_count())] + ["cpu"]


def resolve_device(name: str) -> str:
    """Turn "auto", "cuda", "cuda:N" or "cpu" into a device of this machine.

    :raises EngineError: the device does not exist here.
    """
    devices = available_devices()
    if name == "auto":
        return devices[0]
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in devices:
        raise EngineError(f"The device '{name}' is not available: choose one of auto, {', '.join(devices)}.")
    return wanted


def resolve_precision(name: str, device: str) -> str:
    """Turn "auto", "fp32", "bf16" or "fp16" into the encoder's precision on ``device``.

    "auto" is fp16 on CUDA (eight times more exact than bf16 at the same speed), bf16 on a CPU that
    multiplies it in hardware, else fp32.

    :raises EngineError: unknown name, or fp16 on a CPU, where it is slower than fp32.
    """
    if name == "auto":
        return _fastest_precision(device)
    if name not in PRECISIONS:
        raise EngineError(f"The precision '{name}' is unknown: choose one of auto, {', '.join(PRECISIONS)}.")
    if name == "fp16" and device == "cpu":
        raise EngineError("Precision fp16 needs a CUDA device: choose auto, fp32 or bf16 on the CPU.")
    return name


def _fastest_precision(device):
    if device != "cpu":
        return "fp16"
    return "bf16" if cpu_multiplies_bf16() else "fp32"


def cpu_multiplies_bf16() -> bool:
    """Tell whether this CPU has bf16 matrix instructions (AVX512-BF16 or AMX)."""
    # Absent in some builds of torch, which then simply stay with fp32.
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, probe, bool)() for probe in probes)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception of torch, CUDA or Python says that memory ran out."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    signs = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in signs)


class MemoryLadder:
    """Runs batches on a model and steps down when memory runs out, keeping the results so far.

    Rungs: half the batch until it is 1; half precision on the same CUDA device; the CPU.
    Where it has come down to is kept for later runs, so that a failure is met only once.

    :param model: what the calls use; moved by `PromptableModel.to`.
    :param batch_size: items in one call at first.
    :param announce: receives one sentence when a rung is taken that the user should know of; smaller
        batches are announced once.
    """

    def __init__(self, model: PromptableModel, batch_size: int, announce: Callable[[str], None]):
        self._model = model
        self._full_batch = batch_size
        self._announce = announce
        self._announced_smaller = False
        self.batch_size = batch_size

    def run(self, items: Sequence[Item], call: Callable[[Sequence[Item]], Iterable[Result]]) -> List[Result]:
        """Call ``call`` for all items, and return the results in their order.

        :param call: takes at most ``batch_size`` items and gives one result for each.
        :raises EngineError: not even one item fits on the CPU.
        """
        results: List[Result] = []
        while len(results) < len(items):
            batch = items[len(results) : len(results) + self.batch_size]
            done = _unless_memory_runs_out(lambda batch=batch: list(call(batch)))
            if done is None:
                self._step_down(len(batch))
            else:
                results.extend(done)
        return results

    def _step_down(self, failed):
        if failed > 1:
            self._shrink(failed // 2)
            return
        self._move_down(*self._model.placement)
        self._announce("Memory ran out: continuing on {} in {}.".format(*self._model.placement))
        self.batch_size = self._full_batch

    def _move_down(self, device, precision):
        """Move to the first rung below that has room for the network."""
        placement = _lower_placement(device, precision)
        if placement is None:
            raise EngineError("There is not enough memory for a single image: close other programs.")
        if _unless_memory_runs_out(lambda: self._model.to(*placement)) is None:
            self._move_down(*placement)
        release_memory()

    def _shrink(self, batch_size):
        if not self._announced_smaller:
            self._announce("Memory ran out: continuing with smaller batches.")
        self._announced_smaller = True
        self.batch_size = batch_size


def _unless_memory_runs_out(call: Callable[[], Result]) -> Optional[Result]:
    """Return what ``call`` gives, or None, with the memory of the attempt given back."""
    try:
        return call()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    # Outside the except clause: the traceback would keep the failed call's tensors alive.
    release_memory()
    return None


def _lower_placement(device: str, precision: str) -> Optional[Tuple[str, str]]:
    if device == "cpu":
        return None
    if precision == "fp32":
        return device, "fp16"
    return "cpu", resolve_precision("auto", "cpu")


def release_memory() -> None:
    """Give cached memory back to the system."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
