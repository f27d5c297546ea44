"""A fake engine: no network, no torch; its masks are disks and ellipses around the prompts.

`FakeService` stands where `EngineService` stands, behind a real `ThreadEngine` or in a real child process
(`python Testing/fakes/fakeEngine.py`).  `FakeEngine` stands where an `EngineClient` stands and answers
only when the test tells it to, so that every order of answers can be tried.
"""

import hashlib
import os
import sys
import threading
import time

import numpy as np

from SAMUNetSlicerLib.app.engines import EngineClient
from SAMUNetSlicerLib.engine.learning import Appearance
from SAMUNetSlicerLib.engine.serving import (
    EncodeReport,
    EngineStatus,
    LearnReport,
    ModelSpec,
    PredictReport,
    Priority,
)
from SAMUNetSlicerLib.engine.types import Capabilities, Prediction, Prompts
from SAMUNetSlicerLib.errors import CancelledError, EngineError, UserError

RADIUS = 4.2  # no pixel center lies exactly on the border of a disk: rounding cannot change a mask
FAKE_SPEC = ModelSpec(card={"id": "fake"})


def fake_mask(shape, prompts: Prompts) -> np.ndarray:
    """Bool (H, W): start mask, ellipses in boxes, disks at positive points, minus disks at negative ones."""
    rows, columns = np.indices(shape)
    mask = np.zeros(shape, bool) if prompts.mask is None else prompts.mask.copy()
    for x0, y0, x1, y1 in prompts.boxes:
        center_x, center_y = (x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2
        mask |= ((columns - center_x) / (x1 - x0) * 2) ** 2 + ((rows - center_y) / (y1 - y0) * 2) ** 2 <= 1
    for (x, y), label in zip(prompts.points, prompts.labels):
        disk = (columns - x) ** 2 + (rows - y) ** 2 <= RADIUS**2
        mask = mask | disk if label else mask & ~disk
    return mask


class FakeService:
    """Does at once what `EngineService` computes.

    An image filled with 13 makes it die, one with 14 fail, one with 15 gives an answer that cannot be packed,
    one with 16 an answer that cannot be read, one with 17 a fault in a thread of its own.
    """

    batch_size = 4

    def __init__(self, notify=lambda sentence: None, delay=0.0):
        self._notify = notify
        self._delay = delay
        self._keys = set()
        self.batches = []
        self.status = None

    def load(self, spec: ModelSpec) -> EngineStatus:
        print("printed while loading", flush=True)
        if spec.card["id"] == "deadly":
            os._exit(3)
        if spec.card["id"] == "broken":
            self.status = None
            raise EngineError("The fake model is broken; choose another one.")
        self.status = EngineStatus(
            spec.card["id"],
            spec.card["id"] + "-key",
            "cpu",
            "fp32",
            Capabilities(True, True, "logits"),
            256,
            1.0,
        )
        return self.status

    def encode(self, images) -> list:
        self.batches.append(len(images))
        return [self._encode(image) for image in images]

    def predict(self, image, prompts: Prompts) -> PredictReport:
        encoding = self._encode(image)
        if _is_filled(image, 16):
            return ["of no known kind"]
        if _is_filled(image, 17):
            threading.Thread(target=lambda: 1 / 0).start()
            time.sleep(60)
        mask = fake_mask(image.shape[:2], prompts)
        logits = np.where(mask, 8.0, -8.0).astype(np.float32)
        notes = (object(),) if _is_filled(image, 15) else ()
        prediction = Prediction(mask, logits, np.zeros((1, 64, 64), np.float32), 0.9, prompts.boxes, notes)
        return PredictReport(prediction, encoding, 0.1)

    def learn(self, examples) -> LearnReport:
        self.examples = examples
        return LearnReport(Appearance.indifferent(), 0.1)

    def recognize(self, image, prompts, known) -> PredictReport:
        return self.predict(image, prompts)

    def statistics(self) -> dict:
        return {"encoded": len(self._keys), "batches": self.batches}

    def clear_cache(self) -> None:
        self._keys.clear()

    def _encode(self, image) -> EncodeReport:
        time.sleep(self._delay)
        if _is_filled(image, 13):
            os._exit(3)
        if _is_filled(image, 14):
            raise EngineError("The fake engine refuses this image.")
        key = hashlib.sha256(image.tobytes()).hexdigest()
        source = "memory" if key in self._keys else "encoded"
        self._keys.add(key)
        return EncodeReport(key, source, 0.0 if source == "memory" else 1.0)


def _is_filled(image, value) -> bool:
    return image.min() == value and image.max() == value


class FakeEngine(EngineClient):
    """Requests lie in ``jobs`` until ``answer`` is called; ``isAutomatic`` answers at each poll instead."""

    def __init__(self, is_automatic=False):
        super().__init__()
        self.service = FakeService()
        self.is_automatic = is_automatic
        self.is_closed = False
        self.jobs = []
        self.withdrawn = []

    def answer(self, operation=None) -> None:
        """Serve the oldest waiting request, of one operation if named."""
        job = next(job for job in self.jobs if operation in (None, job.operation))
        self.jobs.remove(job)
        outcome = self._serve(job)
        self._setStatus(self.service.status)
        self._deliver(job.ticket, outcome)

    def restart(self) -> None:
        """Do what `ProcessEngine` does when its process dies: give up encoding ahead, keep the clicks."""
        self._setStatus(None)
        for job in [job for job in self.jobs if job.priority == Priority.PREFETCH]:
            self.jobs.remove(job)
            self._deliver(job.ticket, CancelledError("The engine was started again."))

    def fail(self, error: UserError) -> None:
        """Answer the oldest waiting request with an error."""
        self._deliver(self.jobs.pop(0).ticket, error)

    def waiting(self, operation) -> list:
        return [job for job in self.jobs if job.operation == operation]

    def poll(self):
        while self.is_automatic and self.jobs:
            self.answer()

    def block(self, seconds):
        pass

    def close(self):
        self.is_closed = True
        self.jobs.clear()

    def _serve(self, job):
        try:
            if job.operation == "encode":
                return self.service.encode([job.arguments["image"]])[0]
            operation = {"clear": "clear_cache"}.get(job.operation, job.operation)
            return getattr(self.service, operation)(**job.arguments)
        except UserError as error:
            return error

    def _submit(self, job):
        self.jobs.append(job)

    def _withdraw(self, number):
        self.withdrawn.append(number)
        self.jobs = [job for job in self.jobs if job.ticket != number]


if __name__ == "__main__":
    from SAMUNetSlicerLib.engine.serving import worker

    print("printed while starting", flush=True)
    worker.main(lambda notify: FakeService(notify, delay=float(sys.argv[1])))
