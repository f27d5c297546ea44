"""Time of the compact SAM-UNet beside SAM-UNet res34: one slice, one click.

    OMP_NUM_THREADS=1 python Testing/benchmarks/bench_compact.py [rounds]

Both have random weights: time does not depend on them.  The two take turns, the median of the rounds counts.
"""

import statistics
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from SAMUNetSlicerLib.engine.models import prepared
from SAMUNetSlicerLib.engine.networks import RES34, CompactSAMUNet, FastEncoder, SAMUNet, decode_compact

POINT = torch.tensor([[[100.0, 120.0]]]), torch.tensor([[1]])


def measure(calls, rounds):
    """Median milliseconds of CPU time of every call."""
    times = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            started = time.process_time()
            call()
            times[name].append(1000 * (time.process_time() - started))
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def main(rounds=10):
    compact, large = prepared(CompactSAMUNet()), SAMUNet(RES34).eval().requires_grad_(False)
    fast_large = FastEncoder(large, "cpu", torch.float32)
    small_image, large_image = (torch.randn(1, 3, side, side) for side in (448, 256))
    position = compact.prompt_encoder.dense_position().flatten(2).transpose(1, 2).contiguous()
    with torch.inference_mode():
        encoded = compact.encode_image(small_image)

        def click():
            prompts = compact.embed_prompts(*POINT, None, None)
            return decode_compact(compact.mask_decoder, *encoded, position, *prompts)

        calls = {
            "compact, encode": lambda: compact.encode_image(small_image),
            "res34 as published, encode": lambda: large.encode_image(large_image),
            "res34 of this product, encode": lambda: fast_large(large_image),
            "compact, click": click,
        }
        for name, milliseconds in measure(calls, rounds).items():
            print(f"{name}: {milliseconds:.1f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
