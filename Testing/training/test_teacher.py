import numpy as np
import torch

from SAMUNetSlicerLib.engine.types import Decoded
from SAMUNetSlicerLib.training.data import mask_on_canvas, on_canvas
from SAMUNetSlicerLib.training.learning import BoxTeacher
from training.corpora import disc


class BoxFiller:
    """A model that is sure of all that lies in the box, and remembers what it was shown."""

    def encode(self, images):
        self.seen = images[0]
        return [images[0].shape[:2]]

    def decode(self, size, points, _labels, boxes):
        assert points.shape == (len(boxes), 0, 2)
        answers = []
        for x0, y0, x1, y1 in boxes.round().astype(int):
            logits = np.full(size, -9.0, np.float32)
            logits[y0:y1, x0:x1] = 9
            answers.append(Decoded(logits, logits, logits > 0))
        return answers


def test_a_teacher_sees_the_picture_and_answers_on_the_grid_of_the_targets():
    picture = np.random.default_rng(0).integers(1, 255, (48, 64, 3), np.uint8)
    masks = [disc(64, 20, 24, 8)[:48], disc(64, 50, 10, 5)[:48]]
    targets = torch.from_numpy(np.stack([mask_on_canvas(mask, 32) for mask in masks]))
    model = BoxFiller()
    answers = BoxTeacher(model)(on_canvas(picture.astype(np.float32), 64)[None], targets[None])
    assert np.array_equal(model.seen, picture)
    assert answers.shape == (2, 32, 32)
    for answer, target in zip(answers, targets):
        assert answer[target > 0.5].min() > 0.99
        rows, columns = torch.nonzero(target >= 0.5, as_tuple=True)
        box = torch.zeros_like(answer, dtype=torch.bool)
        box[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
        assert answer[~box].max() < 0.01
