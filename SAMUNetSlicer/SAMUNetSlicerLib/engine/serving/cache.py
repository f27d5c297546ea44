"""Encode each slice once: embeddings found again by the content they were made from."""

import threading
from collections import Counter, OrderedDict
from hashlib import blake2b
from pathlib import Path
from typing import Any, Dict, Optional, Union

import numpy as np
import torch

from ..types import Embedding
from .disk_cache import DiskTier

_HALF_MAX = torch.finfo(torch.float16).max


def embedding_key(image: np.ndarray, model_key: str) -> str:
    """Name of the embedding of an image: equal exactly where the image and the network are.

    What the user changes (voxel, window, transform, slice) shows in the pixels or changes nothing, so no
    change can be missed and an embedding is never stale.

    :param image: uint8 (H, W) or (H, W, 3), as given to the network.
    :param model_key: the network, its weights and its preprocessing, see `PromptableModel.model_key`.
    :return: 40 hexadecimal digits.
    """
    description = repr((model_key, image.shape, image.dtype.str)).encode()
    digest = blake2b(description, digest_size=20)
    digest.update(np.ascontiguousarray(image))
    return digest.hexdigest()


class EmbeddingCache:
    """Embeddings in memory and, with a folder, on disk; all methods may be called from any thread.

    Kept in half precision on the CPU: 0.02 % of logit error for half of the bytes; values beyond its
    range keep theirs.  Decode what `get` returns, never what was given to `put`: then a mask does not
    depend on whether its slice had been encoded before.

    :param memory_bytes: budget of the memory tier; the embedding used last stays even if larger.
    :param folder: of the disk tier, made when needed and shared with other processes; None for none.
    :param disk_bytes: budget of the disk tier.
    """

    def __init__(self, memory_bytes: int, folder: Union[str, Path, None] = None, disk_bytes: int = 4 << 30):
        self._memory_bytes = memory_bytes
        self._memory: OrderedDict[str, Embedding] = OrderedDict()
        self._held = 0
        self._disk = None if folder is None else DiskTier(Path(folder), disk_bytes)
        self._counts: Counter = Counter()
        self._lock = threading.Lock()

    def find(self, key: str) -> Optional[str]:
        """Return where an embedding is: "memory", "disk" (brought to memory by this call) or None.

        This is the question that `stats` counts as hit or miss.
        """
        with self._lock:
            tier = "memory" if key in self._memory else None
        if tier is None and self._read(key) is not None:
            tier = "disk"
        with self._lock:
            self._counts[tier] += 1
        return tier

    def get(self, key: str) -> Optional[Embedding]:
        """Return the embedding as it is kept, the same object as long as it stays in memory, or None."""
        with self._lock:
            embedding = self._memory.get(key)
            if embedding is not None:
                self._memory.move_to_end(key)
                return embedding
        return self._read(key)

    def put(self, key: str, embedding: Embedding) -> None:
        """Keep an embedding, in place of less recently used ones."""
        kept = _compact(embedding)
        self._keep(key, kept)
        if self._disk is not None:
            self._disk.write(key, kept)

    def clear(self) -> None:
        """Forget every embedding, in memory and on disk; the counts go on."""
        with self._lock:
            self._memory.clear()
            self._held = 0
        if self._disk is not None:
            self._disk.clear()

    def stats(self) -> Dict[str, Any]:
        """Return hits per tier, misses and hit rate (0 before the first `find`); entries and bytes per tier;
        ``cache_warning``, one sentence if the disk tier does not work, else empty.
        """
        entries, size, warning = (0, 0, "") if self._disk is None else self._disk.stats()
        with self._lock:
            memory, disk, misses = (self._counts[tier] for tier in ("memory", "disk", None))
            return {
                "memory_hits": memory,
                "disk_hits": disk,
                "misses": misses,
                "hit_rate": (memory + disk) / max(1, memory + disk + misses),
                "memory_entries": len(self._memory),
                "memory_bytes": self._held,
                "disk_entries": entries,
                "disk_bytes": size,
                "cache_warning": warning,
            }

    def _read(self, key: str) -> Optional[Embedding]:
        embedding = None if self._disk is None else self._disk.read(key)
        if embedding is not None:
            self._keep(key, embedding)
        return embedding

    def _keep(self, key: str, embedding: Embedding) -> None:
        with self._lock:
            self._drop(key)
            self._memory[key] = embedding
            self._held += embedding.nbytes
            while self._held > self._memory_bytes and len(self._memory) > 1:
                self._drop(next(iter(self._memory)))

    def _drop(self, key: str) -> None:
        dropped = self._memory.pop(key, None)
        self._held -= 0 if dropped is None else dropped.nbytes


def _compact(embedding: Embedding) -> Embedding:
    tensors = tuple(_halved(tensor) for tensor in embedding.tensors)
    return Embedding(tensors, embedding.input_size, embedding.original_size, embedding.model_key)


def _halved(tensor: torch.Tensor) -> torch.Tensor:
    """Return a half-precision copy of its own: a view would keep the whole batch that it was encoded in
    alive.
    """
    tensor = tensor.detach()
    fits = tensor.is_floating_point() and bool((tensor.abs() <= _HALF_MAX).all())
    return tensor.to("cpu", torch.float16 if fits else tensor.dtype, copy=True).contiguous()
