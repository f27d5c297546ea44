"""Answer requests without a network, for tests of everything around it, in Slicer as well."""

from typing import Any, List

import numpy as np

from ...engine.learning import Appearance
from ...engine.serving import EncodeReport, EngineStatus, Job, LearnReport, ModelSpec, PredictReport
from ...engine.types import Capabilities, Prediction, Prompts
from ...errors import CancelledError
from .client import EngineClient

RADIUS = 4.2  # no pixel center lies exactly on the border of a disk: rounding cannot change a mask
SPEC = ModelSpec(card={"id": "standIn"})


class DummyEngine(EngineClient):
    """Answers at the next poll, in this process, with masks that can be foretold, see ``dummyMask``."""

    def __init__(self):
        super().__init__()
        self._jobs: List[Job] = []

    def poll(self) -> None:
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            self._deliver(job.ticket, self._serve(job))

    def block(self, seconds: float) -> None:
        pass

    def close(self) -> None:
        self._jobs.clear()
        self._failAll(CancelledError("The engine was closed."))
        self._setStatus(None)

    def _submit(self, job: Job) -> None:
        self._jobs.append(job)

    def _withdraw(self, number: int) -> None:
        self._jobs = [job for job in self._jobs if job.ticket != number]

    def _serve(self, job: Job) -> Any:
        if job.operation == "load":
            capabilities = Capabilities(points=True, boxes=True)
            self._setStatus(EngineStatus("standIn", "standIn-1", "cpu", "fp32", capabilities, 64, 0.0))
            return self.status
        encoding = EncodeReport("standIn", "encoded", 0.0)
        if job.operation == "encode":
            return encoding
        if job.operation == "learn":
            return LearnReport(Appearance.indifferent(), 0.0)
        if job.operation in ("predict", "recognize"):
            image = job.arguments["image"]
            return PredictReport(_prediction(image.shape[:2], job.arguments["prompts"]), encoding, 0.0)
        return {}


def dummyMask(shape, prompts: Prompts) -> np.ndarray:
    """Bool (H, W): the start mask, boxes, disks at positive points, without disks at negative ones."""
    rows, columns = np.indices(shape)
    mask = np.zeros(shape, bool) if prompts.mask is None else prompts.mask.copy()
    for x0, y0, x1, y1 in prompts.boxes:
        mask |= (x0 <= columns) & (columns < x1) & (y0 <= rows) & (rows < y1)
    for (x, y), label in zip(prompts.points, prompts.labels):
        disk = (columns - x) ** 2 + (rows - y) ** 2 <= RADIUS**2
        mask = mask | disk if label else mask & ~disk
    return mask


def _prediction(shape, prompts: Prompts) -> Prediction:
    mask = dummyMask(shape, prompts)
    logits = np.where(mask, 8.0, -8.0).astype(np.float32)
    return Prediction(mask, logits, np.zeros((1, 64, 64), np.float32), 0.9, prompts.boxes)
