"""SAM-UNet on CUDA: parity with the reference in three precisions, speed, and what happens without memory.

    python Testing/gpu/check_cuda.py [res34|res50 ...]

Needs torch, numpy, Pillow, safetensors and segment-anything; weights are computed, nothing is downloaded.
Ends with exit code 1 if a limit is missed.
"""

import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine import golden_outputs as golden
from SAMUNetSlicerLib.engine.models import MemoryLadder, SAMUNetModel, load_catalog

LEAST_DICE = {"fp32": 0.9999, "fp16": 0.995, "bf16": 0.99}
BOX = np.array([[40, 75, 100, 165]], np.float32)
NO_POINTS, NO_LABELS = np.zeros((1, 0, 2), np.float32), np.zeros((1, 0), np.int64)


def main(kinds):
    if not torch.cuda.is_available():
        sys.exit("This check needs a CUDA device; the same parity runs on the CPU in `make test`.")
    # TF32 would round what is compared with fp32 here.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    print(torch.cuda.get_device_name(), "torch", torch.__version__)
    passed = [check(kind, precision) for kind in kinds for precision in LEAST_DICE]
    check_memory(kinds[0])
    sys.exit(0 if all(passed) else 1)


def check(kind, precision):
    model = model_of(kind).to("cuda:0", precision)
    expected = golden.arrays(kind)
    embedding = model.encode([golden.image()])[0]
    mask = model.decode(embedding, NO_POINTS, NO_LABELS, BOX)[0].mask
    wanted = golden.reference_mask(expected, "box", (1, 1, *mask.shape))[0, 0]
    dice = 2 * (mask & wanted).sum() / (mask.sum() + wanted.sum())
    difference = np.abs(embedding.tensors[0].cpu().numpy() - expected["image_embeddings"]).max()
    print(f"{kind} {precision}: Dice {dice:.5f}, largest difference of the embedding {difference:.1e}")
    images = [golden.image()] * 32
    for count in (1, 8, 32):
        total = milliseconds(lambda count=count: model.encode(images[:count]))
        print(f"  encode {count:2}: {total / count:8.2f} ms/slice")
    click = milliseconds(lambda: model.decode(embedding, NO_POINTS, NO_LABELS, BOX))
    print(f"  click:     {click:8.2f} ms")
    return dice >= LEAST_DICE[precision]


def check_memory(kind):
    """With most of the device's memory taken, the work goes on in smaller steps."""
    model = model_of(kind).to("cuda:0", "fp16")
    ladder = MemoryLadder(model, 256, lambda sentence: print(" ", sentence))
    free, _ = torch.cuda.mem_get_info()
    hog = torch.empty(max(0, free - (1 << 30)), dtype=torch.uint8, device="cuda:0")
    done = ladder.run([golden.image()] * 256, model.encode)
    print(
        f"256 slices with 1 GiB left: {len(done)} encoded, batches of {ladder.batch_size}, {model.placement}"
    )
    del hog


def model_of(kind):
    return SAMUNetModel(golden.filled_network(kind), load_catalog().get(f"samunet_{kind}"), kind)


def milliseconds(work, rounds=10):
    """Median wall time, the device's work included."""
    times = []
    for _ in range(rounds + 2):
        torch.cuda.synchronize()
        started = time.perf_counter()
        work()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times[2:])


if __name__ == "__main__":
    main(sys.argv[1:] or golden.KINDS)
