"""Small batches with a fake engine, in this process or, to be killed, in one of their own.

    python Testing/app/batch_runs.py INPUT PROMPTS OUT [RAY ADDRESS [DELAY IN SECONDS]]

prints a line at each change of a case's state.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

import numpy as np

from fakes.fakeEngine import FAKE_SPEC
from SAMUNetSlicerLib.app.batch import BatchJob, BatchListener, BatchOptions
from SAMUNetSlicerLib.app.engines import EngineLaunch

TESTING = Path(__file__).resolve().parents[1]
SHAPE = (6, 24, 30)
MIDDLE = {
    "plane": {"orientation": "axial", "fraction": 0.5},
    "boxes": [{"fraction": [[0.2, 0.3, 0.5], [0.7, 0.8, 0.5]]}],
}


def fake_launch(delay=0.0):
    fake = str(TESTING / "fakes" / "fakeEngine.py")
    return EngineLaunch(arguments=(fake, str(delay)), pythonPath=(str(TESTING),))


def write_image(path, seed=0, shape=SHAPE, value=None):
    """An image of noise, or of one value: 13 kills the fake engine, 14 makes it fail."""
    import SimpleITK as sitk  # not needed by the process that is killed

    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    image = sitk.GetImageFromArray(voxels if value is None else np.full(shape, value, np.uint8))
    image.SetSpacing((0.8, 0.9, 2.0))
    sitk.WriteImage(image, str(path))
    return path


def write_prompts(path, *planes, **segment):
    segment = {"name": "Liver", "planes": list(planes or [MIDDLE]), **segment}
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"version": 1, "window": {"mode": "manual", "lower": 0, "upper": 255}, "segments": [segment]}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def options(inputs, prompts, out, **more):
    more = {"devices": ("cpu",), "launch": fake_launch(), "spec": FAKE_SPEC, **more}
    inputs, prompts = ((each,) if isinstance(each, Path) else tuple(each) for each in (inputs, prompts))
    return BatchOptions(inputs, prompts, out, **more)


def run_batch(inputs, prompts, out, listener=None, **more):
    """Records by name."""
    return {each.name: each for each in BatchJob(options(inputs, prompts, out, **more), listener).run()}


def main(inputs, prompts, out, ray="", delay="0"):
    def tell(record, done, total):
        print(record.name, record.state, flush=True)

    more = {"launch": fake_launch(float(delay))}
    if ray:
        more = {"ray": ray, "devices": ("cpu", "cpu"), "launch": fake_launch(0.2)}
    run_batch(Path(inputs), Path(prompts), Path(out), BatchListener(changed=tell), **more)
    print("finished", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
