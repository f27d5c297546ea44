"""What the cache tests run in processes of their own: importable, so that a fork server can start it."""

import random
from pathlib import Path

import torch

from SAMUNetSlicerLib.engine.serving import DiskTier
from SAMUNetSlicerLib.engine.types import Embedding


def embedding_of(number: int, size: int = 40_000) -> Embedding:
    """An embedding that can be told from its number, of ``2 * size`` bytes."""
    tensor = torch.full((1, size), float(number % 1000), dtype=torch.float16)
    return Embedding((tensor,), (200, 256), (400, 512), f"model-{number % 3}")


def key_of(number: int) -> str:
    return f"{number:040x}"


def is_embedding_of(number: int, embedding: Embedding) -> bool:
    expected = embedding_of(number)
    return embedding.model_key == expected.model_key and torch.equal(
        embedding.tensors[0], expected.tensors[0]
    )


def write_forever(folder: str, first: int, started) -> None:
    """Write embeddings until killed; tell when the first one is there."""
    tier = DiskTier(Path(folder), 1 << 40)
    while True:
        tier.write(key_of(first), embedding_of(first))
        started.set()
        first += 1


def read_and_write(folder: str, seed: int, rounds: int, budget: int, results) -> None:
    """Use a small folder as another process does; puts (found, wrong, warning) into ``results``."""
    tier, rng = DiskTier(Path(folder), budget), random.Random(seed)
    found = wrong = 0
    for _ in range(rounds):
        number = rng.randrange(30)
        embedding = tier.read(key_of(number))
        if embedding is None:
            tier.write(key_of(number), embedding_of(number))
        else:
            found += 1
            wrong += not is_embedding_of(number, embedding)
    results.put((found, wrong, tier.stats()[2]))
