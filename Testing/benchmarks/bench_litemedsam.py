"""Time of LiteMedSAM, one slice and one click at 512 x 512, beside plain torch and SAM's decoder.

    OMP_NUM_THREADS=1 python Testing/benchmarks/bench_litemedsam.py [rounds]

Weights are random: time does not depend on them.  The variants take turns; the median CPU time counts.
"""

import copy
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from SAMUNetSlicerLib.engine.models import SamModel, cpu_multiplies_bf16, load_catalog
from SAMUNetSlicerLib.engine.networks import build_sam_network, fold_batch_norm

BOX = np.array([[150, 180, 260, 330]], np.float32)
NO_POINTS, NO_LABELS = np.zeros((1, 0, 2), np.float32), np.zeros((1, 0), np.int64)


class Plain:
    """The same parameters in SAM's own modules and plain torch layers."""

    def __init__(self, network):
        self._network = network
        self._square = torch.rand(1, 3, 256, 256)

    def encode(self):
        # With gradients enabled, TinyViT uses torch's layers; no parameter requires one.
        return self._network.image_encoder(self._square)

    def click(self, embedding):
        with torch.no_grad():
            prompts = self._network.prompt_encoder
            sparse, dense = prompts(None, torch.from_numpy(BOX) / 2, None)
            position = prompts.get_dense_pe()
            logits, _ = self._network.mask_decoder(embedding, position, sparse, dense, False)
            return functional.interpolate(logits, (512, 512), mode="bilinear") > 0


def measure(calls, rounds):
    """Median CPU milliseconds of every call."""
    times = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            started = time.process_time()
            call()
            times[name].append(1000 * (time.process_time() - started))
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def main(rounds=10):
    torch.manual_seed(0)
    card = load_catalog().get("litemedsam")
    network = build_sam_network(card.architecture, card.input.size, card.config).eval().requires_grad_(False)
    plain = Plain(copy.deepcopy(network))
    fast = SamModel(fold_batch_norm(copy.deepcopy(network)), card, "fast")
    image = np.random.default_rng(0).integers(0, 256, (512, 512), np.uint8)
    embedding, plain_embedding = fast.encode([image])[0], plain.encode()
    calls = {
        "encode, plain torch layers": plain.encode,
        "encode, fp32": lambda: fast.encode([image]),
        "click, SAM's own decoder": lambda: plain.click(plain_embedding),
        "click, fp32": lambda: fast.decode(embedding, NO_POINTS, NO_LABELS, BOX),
    }
    if cpu_multiplies_bf16():
        half = SamModel(fold_batch_norm(copy.deepcopy(network)), card, "half").to("cpu", "bf16")
        calls["encode, bf16"] = lambda: half.encode([image])
    for name, milliseconds in measure(calls, rounds).items():
        print(f"{name}: {milliseconds:.1f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
