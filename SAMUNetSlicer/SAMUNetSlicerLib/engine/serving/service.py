"""Serve requests with one network, its predictor and its cache, used by one thread."""

import platform
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np
import torch

from ...errors import EngineError
from ..learning import Example, Known, learn_appearance, recognized
from ..models import MemoryLadder, ModelCard, load_model
from ..prompting import Predictor, checked_prompts, close_up
from ..types import Prompts
from .cache import EmbeddingCache, embedding_key
from .cpu_threads import ThreadGovernor
from .reports import EncodeReport, EngineStatus, LearnReport, ModelSpec, PredictReport

_CUDA_BATCH = 8


class EngineService:
    """Loads a network, encodes images once, and predicts masks for prompts on them.

    :param notify: receives sentences the user should read once, such as a fall back to the CPU.
    :param load: makes the network, see `loader.load_model`.
    :param threads: how many threads encode on the CPU.

    Made and used on one thread.  When memory runs out, work continues on the rungs of `device.MemoryLadder`.
    """

    def __init__(
        self,
        notify: Callable[[str], None] = lambda sentence: None,
        load: Callable = load_model,
        threads: Optional[ThreadGovernor] = None,
    ):
        self._notify = notify
        self._threads = threads or ThreadGovernor()
        self._load = load
        self._forget_model()
        self._cache: Optional[EmbeddingCache] = None
        self._budget: Optional[tuple] = None
        self._counts: Counter = Counter()

    @property
    def status(self) -> Optional[EngineStatus]:
        """Return what is loaded and where it runs now; None before `load`."""
        if self._loaded is None:
            return None
        device, precision = self._model.placement
        return replace(self._loaded, device=device, precision=precision)

    @property
    def batch_size(self) -> int:
        """Return how many images are worth encoding together.

        One on the CPU: a batch saves little there, and a click waits until it is done.
        """
        on_cpu = self._model is None or self._model.placement[0] == "cpu"
        return 1 if on_cpu else self._ladder.batch_size

    def load(self, spec: ModelSpec) -> EngineStatus:
        """Load a network in place of the one before, whose memory is given back first.

        :raises WeightsError: the weights are missing, damaged or another network's.
        :raises EngineError: the device does not exist, or memory does not suffice.
        """
        self._forget_model()
        started = time.perf_counter()
        card = ModelCard.from_json(spec.card)
        model = self._load(card, spec.weights, spec.device, spec.precision)
        self._model, self._predictor = model, Predictor(model)
        self._ladder = MemoryLadder(model, _CUDA_BATCH, self._notify)
        self._open_cache(spec)
        self._warm_up()
        self._loaded = self._describe(_ms_since(started))
        return self.status

    def encode(self, images: Sequence[np.ndarray]) -> List[EncodeReport]:
        """Have the embeddings of images in the cache.

        :param images: uint8 (H, W) or (H, W, 3) RGB, sizes may differ.
        """
        self._require_model()
        keys = [self._key(image) for image in images]
        found = {key: self._cache.find(key) for key in keys}
        missing = {key: image for key, image in zip(keys, images) if found[key] is None}
        started = time.perf_counter()
        kept_as = self._encode_all(missing)
        encode_ms = _ms_since(started) / max(1, len(missing))
        return [
            EncodeReport(kept_as.get(key, key), found[key] or "encoded", 0.0 if found[key] else encode_ms)
            for key in keys
        ]

    def predict(self, image: np.ndarray, prompts: Prompts) -> PredictReport:
        """Segment an image with the prompts of one object, encoding it if it is not in the cache.

        What is encoded is the part of the image that `close_up` chooses.

        :param image: as for `encode`.
        :raises EngineError: no model is loaded.
        :raises PromptError: the model cannot use the prompts.
        """
        self._require_model()
        prompts = checked_prompts(prompts, image.shape[:2])
        view = close_up(prompts, image.shape[:2], self._model.capabilities)
        seen, asked = view.image(image), view.prompts(prompts)
        encoding = self.encode([seen])[0]
        embedding = self._cache.get(encoding.key)
        started = time.perf_counter()
        prediction = self._ladder.run(
            [asked], lambda batch: [self._predictor.predict(embedding, batch[0], seen)]
        )[0]
        self._counts["decoded"] += 1
        return PredictReport(view.prediction(prediction), encoding, _ms_since(started))

    def learn(self, examples: Sequence[Example]) -> LearnReport:
        """Learn what a structure looks like; nothing is kept here, and no model is needed.

        :raises InputError: see `learn_appearance`.
        """
        started = time.perf_counter()
        return LearnReport(learn_appearance(examples), _ms_since(started))

    def recognize(self, image: np.ndarray, prompts: Prompts, known: Known) -> PredictReport:
        """Do as `predict`, and let what is known about the structure have a say, see `recognized`."""
        report = self.predict(image, prompts)
        started = time.perf_counter()
        prediction, agreement, likeness = recognized(report.prediction, known)
        took = report.decode_ms + _ms_since(started)
        return PredictReport(prediction, report.encoding, took, agreement, likeness)

    def statistics(self) -> Dict[str, Any]:
        """Return images encoded, predictions made, and what the cache holds, see `EmbeddingCache.stats`."""
        counts = {name: self._counts[name] for name in ("encoded", "decoded")}
        return {**counts, **({} if self._cache is None else self._cache.stats())}

    def clear_cache(self) -> None:
        """Forget every embedding, in memory and on disk."""
        if self._cache is not None:
            self._cache.clear()

    def _require_model(self) -> None:
        if self._loaded is None:
            raise EngineError("No model is loaded; choose one first.")

    def _key(self, image: np.ndarray) -> str:
        # Another precision gives other embeddings: a slice encoded in bf16 must not stand in for fp32.
        return embedding_key(image, f"{self._model.model_key}/{self._model.placement[1]}")

    def _encode_all(self, images: Dict[str, np.ndarray]) -> Dict[str, str]:
        """Encode images, and return under which key each is kept: memory may run out on the way, and
        what is encoded on a lower rung in another precision has another key."""
        if not images:
            return {}
        on_cpu = self._model.placement[0] == "cpu"
        with self._threads.measured(len(images)) if on_cpu else nullcontext():
            embeddings = self._ladder.run(list(images.values()), self._model.encode)
        kept_as = {key: self._key(image) for key, image in images.items()}
        for key, embedding in zip(images, embeddings):
            self._cache.put(kept_as[key], embedding)
        self._counts["encoded"] += len(images)
        return kept_as

    def _forget_model(self) -> None:
        self._model = self._predictor = self._ladder = None
        self._loaded: Optional[EngineStatus] = None

    def _open_cache(self, spec: ModelSpec) -> None:
        """Keep the cache for another model: its entries carry the model's name."""
        budget = (spec.memory_bytes, spec.cache_folder, spec.disk_bytes)
        if budget != self._budget:
            self._cache, self._budget = EmbeddingCache(*budget), budget

    def _warm_up(self) -> None:
        """Let CUDA load its kernels now and not at the first click."""
        if self._model.placement[0] != "cpu":
            image = np.zeros((self._model.image_size,) * 2, np.uint8)
            embedding = self._ladder.run([image], self._model.encode)[0]
            self._predictor.predict(embedding, Prompts(boxes=np.array([[0, 0, 8, 8]], np.float32)))

    def _describe(self, load_ms: float) -> EngineStatus:
        model = self._model
        versions = {"python": platform.python_version(), "torch": torch.__version__}
        return EngineStatus(
            model.model_id,
            model.model_key,
            *model.placement,
            model.capabilities,
            model.image_size,
            load_ms,
            versions,
        )


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0
