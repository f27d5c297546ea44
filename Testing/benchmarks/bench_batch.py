"""How much longer a batch takes than its network: reading, writing and waiting beside encoding and decoding.

    OMP_NUM_THREADS=1 python Testing/benchmarks/bench_batch.py [cases] [device]

Cases are copies of the 512 x 512 sample CT, each other gray values, so that nothing is found in a cache;
every slice is prompted with two boxes.  The network's own time is what the engine has measured for each
slice.  The time until the first case has begun, in which the network is loaded, is told by itself.
"""

import dataclasses
import json
import sys
import tempfile
import time
from pathlib import Path

import SimpleITK as sitk

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from SAMUNetSlicerLib.app.batch import BatchJob, BatchListener, BatchOptions, threadsVariables
from SAMUNetSlicerLib.app.engines import EngineLaunch
from SAMUNetSlicerLib.app.models import modelSpec

SAMPLE = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "ts_ct512.nii.gz"
BOXES = {"Liver": [[45, 135], [260, 360]], "Spleen": [[330, 240], [420, 350]]}


def write_data(folder, cases):
    image = sitk.ReadImage(str(SAMPLE))
    for number in range(cases):
        sitk.WriteImage(image + number, str(folder / "in" / f"case{number}.nii.gz"))
    slices = range(image.GetSize()[2])
    document = {
        "version": 1,
        "window": {"mode": "manual", "lower": -160, "upper": 240},
        "segments": [
            {
                "name": name,
                "planes": [
                    {
                        "plane": {"axis": "K", "index": k},
                        "boxes": [{"ijk": [[*low, k], [*high, k]]}],
                    }
                    for k in slices
                ],
            }
            for name, (low, high) in BOXES.items()
        ],
    }
    (folder / "prompts.json").write_text(json.dumps(document))


def main(cases=6, device="cpu"):
    moments = {}

    def advanced(name, done, total):
        if done:
            moments.setdefault("first slice", time.perf_counter())

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        write_data(folder, int(cases))
        options = BatchOptions(
            (folder / "in",),
            (folder / "prompts.json",),
            folder / "out",
            dataclasses.replace(modelSpec(), cache_folder=None),
            devices=(device,),
            launch=EngineLaunch(environment=threadsVariables([device], 1)),
        )
        started = time.perf_counter()
        records = BatchJob(options, BatchListener(advanced=advanced)).run()
        ended = time.perf_counter()
    assert all(record.isFinished for record in records), [record.message for record in records]
    engine = sum(record.seconds["engine"] for record in records)
    first = records[0].seconds["engine"] / sum(segment.slices for segment in records[0].segments)
    working = ended - moments["first slice"] + first
    slices = sum(segment.slices for record in records for segment in record.segments)
    print(
        f"{len(records)} cases, {slices} masks; until the first mask {moments['first slice'] - started:.1f} s"
    )
    for part in ("load", "segment", "write"):
        print(f"{part:8} {sum(record.seconds[part] for record in records):7.1f} s")
    print(
        f"network  {engine:7.1f} s\nbatch    {working:7.1f} s, {working / engine - 1:+.1%} beside the network"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
