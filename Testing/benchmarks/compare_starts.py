"""Compares what the default model may start from and be taught by, all with the same number of steps.

    python Testing/benchmarks/compare_starts.py CORPUS OUTPUT --steps 150

Every way trains on the same images in the same order (``samunet train``), then all are measured side by side
on the patients that training leaves out (``samunet evaluate --held-out``): OUTPUT/evaluation/report.md.
Ways that are done are not repeated.  MobileSAM's and LiteMedSAM's weights must be here.
"""

import argparse
import time
from pathlib import Path

from SAMUNetSlicerLib.cli.main import main

EVERYTHING_NEW = "--start none --thaw all --pretrained-rate 5e-4"
WAYS = {
    "random": EVERYTHING_NEW,
    "frozen": "--thaw none",
    "litemedsam_decoder": "--thaw none --decoder litemedsam --pretrained-rate 1e-4",
    "litemedsam_teacher": "--thaw none --teacher litemedsam",
    "last_stage": "--thaw last",
}


def compare(corpus: Path, output: Path, steps: int) -> None:
    """Train in every way, then evaluate."""
    for way, options in WAYS.items():
        started = time.monotonic()
        where = ["--data", str(corpus), "--output", str(output / way), "--device", "cpu"]
        how = ["--steps", str(steps), "--keep", "0", "--shift", "0", "--precision", "bf16", *options.split()]
        if not (output / way / "samunet_compact.safetensors").exists():
            main(["train", *where, *how, "--quiet"])
        print(f"{way}: {time.monotonic() - started:.0f} s", flush=True)
    models = [f"--model={way}={output / way / 'samunet_compact.safetensors'}" for way in WAYS]
    where = ["--data", str(corpus), "--output", str(output / "evaluation"), "--device", "cpu"]
    main(
        ["evaluate", *where, "--held-out", "--per-image", "1", "--clicks", "3", *models, "--model=mobilesam"]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--steps", type=int, default=150)
    options = parser.parse_args()
    compare(options.corpus, options.output, options.steps)
