"""Write the files that leave a training run: half-precision weights and what they were made from."""

import json
from collections import Counter
from pathlib import Path
from typing import Dict, Iterable, List

import torch
from safetensors.torch import save_file
from torch import Tensor

from ...atomicFiles import replaceFile
from ..data import Sample


def save_half(weights: Dict[str, Tensor], path: Path) -> None:
    """Write a state dict as safetensors, floating-point tensors in fp16, in one step."""
    halved = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in weights.items()
    }

    def write(temporary: Path) -> None:
        save_file(halved, temporary)
        temporary.chmod(0o644)  # safetensors makes files that their owner alone can read

    replaceFile(path, write)


def sources_used(samples: Iterable[Sample]) -> List[Dict[str, object]]:
    """Return every source with its license and number of images, by name: what a model card must say."""
    counts = Counter((sample.source, sample.modality, sample.license) for sample in samples)
    return [
        {"source": source, "modality": modality, "licence": license, "images": count}
        for (source, modality, license), count in sorted(counts.items())
    ]


def save_provenance(path: Path, samples: Iterable[Sample], options: Dict[str, object]) -> None:
    """Write what a run was made of: its options, the versions used, every source with its license."""
    content = {"options": options, "torch": torch.__version__, "sources": sources_used(samples)}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
