"""SAM-UNet's encoder and click beside the reference's way of working, side by side in one run.

    python Testing/benchmarks/bench_samunet.py [res34|res50] [rounds]

The reference: the same network built from the segment-anything package as published, with padded windows and
relative positions added to the attention explicitly, and the whole of it run for every prompt.  One thread;
CPU time of the process, so that other programs on the machine count less; medians of interleaved rounds.
"""

import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine import golden_outputs as golden
from SAMUNetSlicerLib.engine.models import (
    SAMUNetModel,
    cpu_multiplies_bf16,
    load_catalog,
    network_input,
    to_image_logits,
)

BATCH = 8
BOX = np.array([[150, 180, 320, 360]], np.float32)
NO_POINTS, NO_LABELS = np.zeros((1, 0, 2), np.float32), np.zeros((1, 0), np.int64)


def main(kind="res34", rounds="5"):
    torch.set_num_threads(1)
    network = golden.filled_network(kind)
    card = load_catalog().get(f"samunet_{kind}")
    model = SAMUNetModel(network, card, kind)
    images = list(np.random.default_rng(0).integers(0, 255, (BATCH, 512, 512), np.uint8))
    batch = torch.stack([network_input(image, card.input)[0] for image in images])
    embedding = model.encode(images[:1])[0]
    times = interleaved(
        int(rounds),
        {
            "reference, 1 slice": lambda: network.encode_image(batch[:1]),
            "fp32, 1 slice": lambda: model._encode(batch[:1]),
            f"reference, batch of {BATCH}, per slice": (lambda: network.encode_image(batch), BATCH),
            f"fp32, {BATCH} slices, per slice": (lambda: model.encode(images), BATCH),
            "reference, decode + mask at 512": lambda: reference_click(network, card, embedding),
            "click on a cached slice": lambda: model.decode(embedding, NO_POINTS, NO_LABELS, BOX),
        },
    )
    if cpu_multiplies_bf16():
        model.to("cpu", "bf16")
        times |= interleaved(
            int(rounds),
            {
                "reference, 1 slice (again)": lambda: network.encode_image(batch[:1]),
                "bf16, 1 slice": lambda: model._encode(batch[:1]),
            },
        )
    report(kind, times)


def reference_click(network, card, embedding):
    with torch.inference_mode():
        low_res = network.decode_prompts(*embedding.tensors, boxes=torch.from_numpy(BOX / 2))
        return to_image_logits(low_res[:, 0], (512, 512), (256, 256), card.input) > 0


def interleaved(rounds, calls):
    """Median CPU milliseconds of each call, the calls taking turns; one round to warm up."""
    seen = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            work, share = call if isinstance(call, tuple) else (call, 1)
            started = time.process_time()
            with torch.inference_mode():
                work()
            seen[name].append((time.process_time() - started) * 1000 / share)
    return {name: statistics.median(values[1:]) for name, values in seen.items()}


def report(kind, times):
    print(f"SAM-UNet {kind}, 1 thread, CPU ms (median)")
    for name, value in times.items():
        print(f"  {name:40} {value:9.1f}")
    one, eight = times["reference, 1 slice"], times[f"reference, batch of {BATCH}, per slice"]
    click = times["click on a cached slice"]
    print(f"  encoder fp32 faster than the reference: {one / times['fp32, 1 slice']:.2f}x at 1 slice,")
    print(f"    {eight / times[f'fp32, {BATCH} slices, per slice']:.2f}x per slice at {BATCH}")
    if "bf16, 1 slice" in times:
        ratio = times["reference, 1 slice (again)"] / times["bf16, 1 slice"]
        print(f"  encoder bf16 faster than the reference: {ratio:.2f}x")
    encode_and_decode = one + times["reference, decode + mask at 512"]
    print(f"  a click on a cached slice is {encode_and_decode / click:.0f}x cheaper than the reference's")
    print(f"  ... and {(times['fp32, 1 slice'] + click) / click:.0f}x cheaper than encoding again here")
    print(
        f"  peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
