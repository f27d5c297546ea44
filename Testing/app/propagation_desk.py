"""What the tests of propagation share: a desk with a propagator, and a network that answers as told."""

import numpy as np

from app.desk import SHAPE, Desk
from SAMUNetSlicerLib.app.propagation import PropagationOptions, Propagator
from SAMUNetSlicerLib.engine.serving import EncodeReport, PredictReport
from SAMUNetSlicerLib.engine.types import Prediction

DEPTH = SHAPE[0]
BOX = ((12, 10), (25, 22))


class Way(Desk):
    """A desk with a propagator and all that it has said."""

    def __init__(self, scene):
        super().__init__(scene)
        self.propagator = Propagator(self.session)
        self.reports, self.steps = [], []
        self.propagator.finished.connect(self.reports.append)
        self.propagator.progress.connect(lambda *step: self.steps.append(step))

    def box(self, index=4, corners=BOX):
        self.session.addBox(*corners, self.plane(index))
        self.session.waitUntilIdle()

    def run(self, **options):
        self.propagator.start(PropagationOptions(**options))
        self.propagator.waitUntilFinished()
        return self.reports[-1]

    def answer(self, count):
        """Let the engine serve so many requests."""
        for _ in range(count):
            while not self.engine.jobs:
                self.session.poll()
            self.engine.answer()

    def filled(self, segment=None):
        """The slices on which the segment has voxels."""
        return np.flatnonzero(self.voxels(segment).any(axis=(1, 2))).tolist()

    def origin(self, index):
        provenance = self.session.workspace.provenance.of(self.session.segmentId)
        return provenance.record(self.plane(index).signature()).origin


def answers(way, masks, confidence=0.9):
    """Let the network give these masks: (H, W) bool by slice index, or one for all other slices."""
    images = {
        way.session.workspace.images.image(
            way.volume, way.plane(k), way.session.workspace.window()
        ).tobytes(): k
        for k in range(DEPTH)
    }

    def predict(image, prompts):
        mask = masks(images[image.tobytes()])
        logits = np.where(mask, 8.0, -8.0).astype(np.float32)
        sure = confidence(images[image.tobytes()]) if callable(confidence) else confidence
        prediction = Prediction(mask, logits, np.zeros((1, 64, 64), np.float32), sure, prompts.boxes)
        return PredictReport(prediction, EncodeReport("", "memory", 0.0), 0.1)

    way.engine.service.predict = predict


def square(size=10, at=(10, 12)):
    mask = np.zeros(SHAPE[1:], bool)
    mask[at[0] : at[0] + size, at[1] : at[1] + size] = True
    return mask
