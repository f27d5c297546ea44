"""Hundreds of damaged files at the real commands: done, or one sentence and nothing left over."""

import io
import json
import os
import random
import select
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import torch
from PIL import Image
from safetensors.torch import save as safetensors_bytes

from app.dicom_series import write_series
from SAMUNetSlicerLib.app.prompts import COLUMNS

HERE = Path(__file__).resolve().parent
SHAPE = (5, 14, 16)
SECONDS = 120  # after which a command counts as hanging, however busy the computer is
EXIT_CODES = {3, 4, 5, 6, 7}
_JUNK = ["nan", "inf", "-1", "0", "1e308", "9" * 20, "", "x", "\\ud800", "é", "\x1b[31m", "\n", "%d", "true"]
_VALUES = [None, True, -1, 0, 1e308, 10**30, "", "x", "\ud800", "\x1b[2J", "two\nlines", "x" * 70_000]
_VALUES += [[], {}, [[]], [None]]


class Commands:
    """A child process that runs commands; a new one takes the place of one that died."""

    def __init__(self, folder):
        self._folder, self._child = folder, None

    def run(self, arguments):
        """Return (exit code, stdout, stderr); the exit code of a child that died is negative."""
        if self._child is None:
            self._start()
        self._child.stdin.write(json.dumps(arguments) + "\n")
        self._child.stdin.flush()
        if not select.select([self._child.stdout], [], [], SECONDS)[0]:
            self.close()
            return "hangs", "", ""
        answer = self._child.stdout.readline()
        if answer:
            return json.loads(answer)
        self._child.wait()
        code, self._child = self._child.returncode, None
        return code, "", ""

    def _start(self):
        environment = {**os.environ, "TMPDIR": str(self._folder / "temporary"), "OMP_NUM_THREADS": "1"}
        environment["SAMUNET_HOME"] = str(self._folder / "home")
        environment["PYTHONPATH"] = str(HERE.parents[1] / "SAMUNetSlicer")
        for name in ("temporary", "home"):
            (self._folder / name).mkdir(exist_ok=True)
        command = [sys.executable, str(HERE / "command_child.py")]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def close(self):
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    commands = Commands(tmp_path_factory.mktemp("commands"))
    yield commands
    commands.close()


def cut(content, chance):
    return content[: chance.randrange(len(content))]


def flip(content, chance):
    content = bytearray(content)
    for _ in range(chance.choice([1, 1, 3, 20])):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(content)


def fill(content, chance):
    start = chance.randrange(len(content))
    length = min(chance.choice([1, 4, 100]), len(content) - start)
    filling = chance.choice([bytes(length), b"\xff" * length, chance.randbytes(length)])
    return content[:start] + filling + content[start + length :]


def drop(content, chance):
    start = chance.randrange(len(content))
    return content[:start] + content[start + chance.choice([1, 2, 50]) :]


def insert(content, chance):
    start = chance.randrange(len(content))
    return (
        content[:start]
        + chance.choice(_JUNK).encode(errors="replace") * chance.choice([1, 1, 40])
        + content[start:]
    )


def head(content, chance):
    """Damage where headers are."""
    length = min(len(content), 400)
    return chance.choice([flip, fill, drop, insert])(content[:length], chance) + content[length:]


def damaged(content, chance):
    return chance.choice([cut, flip, fill, drop, insert, head, head, head])(content, chance)


def replace_value(content, chance):
    """JSON with another value at some place."""
    document = json.loads(content)
    place, key = chance.choice(list(_places(document)))
    action = chance.randrange(4)
    if action == 0:
        del place[key]
    elif action == 1 and isinstance(place, dict):
        place[str(chance.choice(_JUNK))] = place.pop(key)
    else:
        place[key] = chance.choice(_VALUES)
    return json.dumps(document).encode()


def _places(value):
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(item, (dict, list)):
            yield from _places(item)


def replace_word(content, chance):
    """Text with junk in the place of some word."""
    words = content.decode().split(",")
    words[chance.randrange(len(words))] = chance.choice(_JUNK)
    return ",".join(words).encode(errors="replace")


def volume_bytes(folder, name, compressed=False):
    voxels = np.random.default_rng(4).integers(0, 255, SHAPE).astype(np.int16)
    voxels[2, 4:9, 4:9] = 900
    if name.endswith("png"):
        Image.fromarray(voxels[2].astype(np.uint8)).save(folder / name)
    else:
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing((0.7, 0.8, 2.5))
        sitk.WriteImage(image, str(folder / name), compressed)
    return (folder / name).read_bytes()


def name_alike(path, number):
    """Give a DICOM file names that are the same in every run."""
    dataset = pydicom.dcmread(path)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = (
        "1.2.3",
        "1.2.4",
        "1.2.5",
    )
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.4.{number}"
    dataset.save_as(path, enforce_file_format=True)


PROMPTS = {
    "version": 1,
    "window": {"mode": "manual", "lower": 0, "upper": 900},
    "segments": [
        {
            "name": "Läsion",
            "color": "#ff8000",
            "terminology": {"category": ["SCT", "1", "Structure"], "type": ["SCT", "2", "Liver"]},
            "propagate": {"axis": "K", "minDice": 0.5},
            "planes": [
                {
                    "plane": {"axis": "K", "index": 0},
                    "points": [
                        {"ijk": [6, 6, 0], "label": "positive"},
                        {"fraction": [0.2, 0.2, 0.1], "label": 0},
                    ],
                    "boxes": [{"ijk": [[4, 4, 0], [9, 9, 0]]}],
                }
            ],
        }
    ],
}


class Case:
    """A folder with files, one of them damaged, and the command that is given it."""

    def __init__(self, folder):
        self.folder, self.out = folder, folder / "out"
        folder.mkdir()

    def put(self, name, content):
        (self.folder / name).write_bytes(content)
        return self.folder / name

    def segment(self, volume, *more):
        prompts = self.put("prompts.json", json.dumps(PROMPTS).encode()) if "--prompts" not in more else None
        given = ["--prompts", str(prompts)] if prompts else []
        return ["segment", str(volume), *given, "--out", str(self.out), "--device", "cpu", *map(str, more)]


def volumes(case, chance, sources):
    name = chance.choice(sorted(sources["volumes"]))
    content = damaged(sources["volumes"][name], chance)
    return case.segment(case.put(f"volume{name[name.index('.') :]}", content))


def series(case, chance, sources):
    folder = case.folder / "series"
    shutil.copytree(sources["series"], folder)
    files = sorted(folder.iterdir())
    for file in chance.sample(files, chance.choice([1, 1, 3])):
        content = file.read_bytes()
        start = content.index(b"\x28\x00\x02\x00")  # what says how the pixels are stored
        isElsewhere = chance.randrange(3)
        damage = damaged(content, chance) if isElsewhere else content[:start] + head(content[start:], chance)
        file.write_bytes(damage)
    return case.segment(folder)


def prompts(case, chance, sources):
    content = json.dumps(PROMPTS).encode()
    content = chance.choice([damaged, replace_value, replace_value, replace_value])(content, chance)
    return case.segment(
        case.put("volume.nii", sources["volumes"]["a.nii"]), "--prompts", case.put("p.json", content)
    )


def tables(case, chance, sources):
    rows = [",".join(COLUMNS), ",Liver,box,ijk,4,4,2,9,9,2,axial", ",Liver,positive,ijk,6,6,2", ""]
    content = chance.choice([damaged, replace_word, replace_word])("\n".join(rows).encode(), chance)
    volume = case.put("volume.nii", sources["volumes"]["a.nii"])
    return ["batch", str(volume), "--prompts", str(case.put("table.csv", content)), "--out", str(case.out)]


def weights(case, chance, sources):
    name = chance.choice(sorted(sources["weights"]))
    path = case.put(name, damaged(sources["weights"][name], chance))
    return case.segment(case.put("volume.nii", sources["volumes"]["a.nii"]), "--weights", path)


def provenance(case, chance, sources):
    content = chance.choice([damaged, replace_value, replace_value])(sources["provenance"], chance)
    volume = case.put("volume.nii", sources["volumes"]["a.nii"])
    return ["replay", str(case.put("volume.provenance.json", content)), str(volume), "--out", str(case.out)]


def segmentations(case, chance, sources):
    path = case.put("s.seg.nrrd", damaged(sources["segmentation"], chance))
    volume = case.put("volume.nii", sources["volumes"]["a.nii"])
    return ["export", str(path), "--volume", str(volume), "--out", str(case.out), "--format", "mha,csv"]


KINDS = {
    volumes: 110,
    series: 60,
    prompts: 60,
    tables: 30,
    weights: 20,
    provenance: 50,
    segmentations: 40,
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory, commands):
    """Sound files of every kind, made by the product itself where it makes such files."""
    folder = tmp_path_factory.mktemp("sound")
    found = {"volumes": {}}
    for name, compressed in [
        ("a.nii", 0),
        ("b.nii.gz", 1),
        ("c.nrrd", 0),
        ("d.nrrd", 1),
        ("e.mha", 0),
        ("f.mha", 1),
    ]:
        found["volumes"][name] = volume_bytes(folder, name, bool(compressed))
    found["volumes"]["g.png"] = volume_bytes(folder, "g.png")
    voxels = np.random.default_rng(5).integers(0, 900, (4, 12, 14), dtype=np.int16)
    for number, path in enumerate(write_series(folder / "series", voxels)):
        name_alike(path, number)
    found["series"] = folder / "series"
    state = {"resnet.stage1.0.conv1.weight": torch.zeros(4, 3), "b": torch.ones(5)}
    stream = io.BytesIO()
    torch.save(state, stream)
    found["weights"] = {"w.safetensors": safetensors_bytes(state), "w.pth": stream.getvalue()}
    case = Case(folder / "case")
    code, _, said = commands.run(case.segment(case.put("volume.nii", found["volumes"]["a.nii"])))
    assert (code, said) == (0, "")
    found["provenance"] = (case.out / "volume.provenance.json").read_bytes()
    found["segmentation"] = (case.out / "volume.seg.nrrd").read_bytes()
    return found


def complaints(case, code, out, said, before):
    """Yield what a command may not do."""
    after = sorted(path.name for path in case.folder.iterdir())
    if code == 0:
        if any(path.name.startswith(".") for path in case.out.rglob("*")):
            yield "left something over"
        after = [name for name in after if name != case.out.name]
    else:
        if code not in EXIT_CODES and not (code == 1 and case.command == "replay"):
            yield f"ended with {code}"
        lines = said.splitlines()
        isSentence = len(lines) == 1 and lines[0].startswith("samunet: ") and lines[0].endswith(".")
        if code != 1 and not (isSentence and lines[0].isprintable()):
            yield "did not say one sentence"
        if code != 1 and len(said) > 1500:
            yield "says too much"
        if out and code != 1:
            yield "printed a result"
        if code == 1:
            after = [name for name in after if name != case.out.name]
    if after != before:
        yield f"left {sorted(set(after) ^ set(before))}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_damaged_file_is_one_sentence_and_leaves_nothing(kind, commands, sources, tmp_path):
    failed, codes = [], []
    for seed in range(KINDS[kind]):
        chance, case = random.Random(f"{kind.__name__} {seed}"), Case(tmp_path / str(seed))
        arguments = kind(case, chance, sources)
        case.command = arguments[0]
        before = sorted(path.name for path in case.folder.iterdir())
        code, out, said = commands.run(arguments)
        codes.append(code)
        failed += [(seed, what, code, said[-600:]) for what in complaints(case, code, out, said, before)]
        temporary = list((commands._folder / "temporary").iterdir())
        if temporary:
            failed.append((seed, "left temporary files", code, str(temporary)))
            for each in temporary:
                shutil.rmtree(each) if each.is_dir() else each.unlink()
    assert not failed, "\n".join(map(str, failed))
    assert 3 in codes or 4 in codes or 5 in codes, "nothing was damaged"


def test_the_files_are_at_least_300():
    assert sum(KINDS.values()) >= 300
