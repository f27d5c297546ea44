"""Run the protocols over a corpus with one model and keep one row per answer."""

import zlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Callable, Iterable, Iterator, List, Sequence, Tuple

import numpy as np

from ...engine.models import PromptableModel
from ...engine.prompting import Predictor, close_up
from ..data import Sample, Target, kind_of_case, load_pair, targets
from .protocols import MAX_CLICKS, Ask, question
from .rows import Row


@dataclass(frozen=True, eq=False)
class Case:
    """One structure in one image, with the sample it comes from and its kind of shape."""

    sample: Sample
    target: Target
    name: str
    shape: str


def cases(samples: Iterable[Sample], per_image: int = 0) -> Iterator[Tuple[np.ndarray, List[Case]]]:
    """Yield (image uint8, structures in it), sample after sample; samples with the same image come together.

    :param per_image: at most so many structures per image (0: all), chosen by a checksum of their name.
    """
    for _, group in groupby(samples, key=lambda sample: sample.image):
        found: List[Case] = []
        for sample in group:
            image, labels = load_pair(sample)
            found += [
                Case(sample, target, f"{sample.name}#{i}", kind_of_case(target.mask, labels, target.label))
                for i, target in enumerate(targets(labels))
            ]
        if per_image:
            found = sorted(found, key=lambda case: zlib.crc32(case.name.encode()))[:per_image]
        if found:
            yield image, found


def evaluate(
    model: PromptableModel,
    samples: Sequence[Sample],
    per_image: int,
    progress: Callable[[int], None],
    clicks: int = MAX_CLICKS,
) -> Iterator[Row]:
    """Return every answer of a model; deterministic.

    :param per_image: see `cases`; ``clicks``: see `question`.  A model that takes boxes only gets one click
        at most: the product makes a box of it, which takes a hundred times as long.
    :param progress: called with the number of images done.
    """
    clicks = clicks if model.capabilities.points else min(clicks, 1)
    for done, (image, found) in enumerate(cases(samples, per_image), 1):
        ask = product_answers(model, image)
        for case in found:
            for answer in question(ask, case.target.mask, case.name, clicks):
                yield _row(model.model_id, case, answer)
        progress(done)


def product_answers(model: PromptableModel, image: np.ndarray) -> Ask:
    """Return what the product answers about an image, close-ups included; encoded once, when it is needed."""
    predictor = Predictor(model)
    encoded = lru_cache(maxsize=None)(lambda view: model.encode([view.image(image)])[0])

    def ask(prompts):
        view = close_up(prompts, image.shape[:2], model.capabilities)
        answer = predictor.predict(encoded(view), view.prompts(prompts), view.image(image))
        return view.prediction(answer)

    return ask


def _row(model, case, answer):
    sample, mask = case.sample, case.target.mask
    structure = sample.labels.get(case.target.label, str(case.target.label))
    size = round(float(mask.mean()), 6)
    about = (model, sample.source, sample.modality, case.name, structure, size, case.shape)
    scores = answer.dice, answer.iou, answer.surface_dice, answer.confidence
    return Row(*about, answer.protocol, answer.clicks, *(round(score, 5) for score in scores))
