"""Time of the compact SAM-UNet beside SAM-UNet res34: one slice, one click.

    OMP_NUM_THREADS=2 python Testing/benchmarks/bench_compact.py [rounds]

Both have random weights: time does not depend on them.  The two take turns, the median of the rounds counts.
"""

import statistics
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from SAMUNetSlicerLib.engine.compact_model import prepared
from SAMUNetSlicerLib.engine.compact_samunet import CompactSAMUNet
from SAMUNetSlicerLib.engine.samunet import RES34, SAMUNet

POINT = {"points": torch.tensor([[[100.0, 120.0]]]), "labels": torch.tensor([[1]])}


def measure(calls, rounds):
    """Median milliseconds of every call."""
    times = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            times[name].append(1000 * (time.perf_counter() - started))
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def main(rounds=10):
    compact, large = prepared(CompactSAMUNet()), SAMUNet(RES34).eval().requires_grad_(False)
    images = {
        network: torch.randn(1, 3, network.config.image_size, network.config.image_size)
        for network in (compact, large)
    }
    with torch.inference_mode():
        encoded = compact.encode_image(images[compact])
        calls = {
            "compact, encode": lambda: compact.encode_image(images[compact]),
            "res34 as published, encode": lambda: large.encode_image(images[large]),
            "compact, click": lambda: compact.decode_prompts(*encoded, **POINT),
        }
        for name, milliseconds in measure(calls, rounds).items():
            print(f"{name}: {milliseconds:.1f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
