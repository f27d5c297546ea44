"""From a volume file and prompts to result files, and back from the provenance to the identical masks."""

import csv
import json
import os

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from app.desk import SHAPE
from fakes.fakeEngine import FAKE_SPEC, FakeEngine
from SAMUNetSlicerLib.app.files import loadVolume, readProvenance, startScene
from SAMUNetSlicerLib.app.jobs import Replay, SegmentJob, runSegmentJob
from SAMUNetSlicerLib.app.prompts import parsePrompts
from SAMUNetSlicerLib.engine.serving import ModelSpec
from SAMUNetSlicerLib.errors import CancelledError, InputError, OutputError, PromptError, WeightsError

PROMPTS = {
    "version": 1,
    "segments": [
        {
            "name": "Liver",
            "color": "#ff8000",
            "planes": [
                {"plane": {"axis": "K", "index": 4}, "boxes": [{"ijk": [[5, 5, 4], [20, 30, 4]]}]},
                {"plane": {"axis": "I", "index": 12}, "points": [{"ijk": [12, 20, 5], "label": "positive"}]},
            ],
        },
        {
            "name": "Läsion 2",
            "planes": [
                {
                    "plane": {"origin": [-20, -15, 10], "normal": [0.3, 0, 1]},
                    "points": [{"ras": [-20, -15, 10], "label": "positive"}],
                }
            ],
        },
    ],
}
ENDINGS = (".csv", ".nii.gz", ".provenance.json", ".seg.nrrd")


@pytest.fixture
def volume(tmp_path):
    image = sitk.GetImageFromArray(np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE))
    image.SetSpacing((0.75, 0.75, 2.5))
    path = tmp_path / "Bauch größer.nii.gz"
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def engine():
    return FakeEngine(is_automatic=True)


def job(volume, folder, prompts=PROMPTS, **options):
    return SegmentJob(volume, parsePrompts(prompts), folder, FAKE_SPEC, **options)


def replayed(volume_file, provenance, engine, spec_for=lambda model: FAKE_SPEC):
    with startScene() as host:
        volume = loadVolume(host, volume_file)
        segmentation = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        return Replay(host.scene, volume, segmentation, engine, spec_for).run(readProvenance(provenance))


def test_all_results_are_written_under_the_volumes_name_and_agree(volume, engine, tmp_path):
    result = runSegmentJob(job(volume, tmp_path / "out"), engine)
    assert sorted(path.name for path in result.files) == [f"Bauch größer{ending}" for ending in ENDINGS]
    assert sorted(os.listdir(tmp_path / "out")) == [f"Bauch größer{ending}" for ending in ENDINGS]
    table, nifti, _, _ = sorted(result.files)
    labels = np.asarray(nibabel.load(nifti).dataobj)
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [row["segment"] for row in rows] == ["Liver", "Läsion 2"]
    assert [int(row["voxels"]) for row in rows] == [(labels == 1).sum(), (labels == 2).sum()]
    assert [float(row["confidence"]) for row in rows] == [0.9, 0.9]
    np.testing.assert_allclose(nibabel.load(nifti).affine, nibabel.load(volume).affine)
    assert len(result.slices) == 3 and result.statistics["encoded"] == 3


def test_progress_counts_the_slices(volume, engine, tmp_path):
    seen = []
    runSegmentJob(job(volume, tmp_path / "out"), engine, lambda done, total: seen.append((done, total)))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_replaying_the_provenance_gives_the_identical_masks(volume, engine, tmp_path):
    runSegmentJob(job(volume, tmp_path / "out"), engine)
    slices = replayed(
        volume, tmp_path / "out" / "Bauch größer.provenance.json", FakeEngine(is_automatic=True)
    )
    assert [each.segment for each in slices] == ["Liver", "Liver", "Läsion 2"]
    assert all(each.isIdentical and each.pixels > 0 for each in slices)


def test_a_replay_with_another_result_says_how_many_pixels_differ(volume, engine, tmp_path):
    runSegmentJob(job(volume, tmp_path / "out"), engine)
    provenance = tmp_path / "out" / "Bauch größer.provenance.json"
    text = json.loads(provenance.read_text(encoding="utf-8"))
    record = next(iter(text["segments"][1]["provenance"]["slices"].values()))
    record["points"][0][0] += 10
    provenance.write_text(json.dumps(text), encoding="utf-8")
    slices = replayed(volume, provenance, FakeEngine(is_automatic=True))
    assert [each.differing > 0 for each in slices] == [False, False, True]


def test_a_replay_on_another_volume_is_refused(volume, engine, tmp_path):
    runSegmentJob(job(volume, tmp_path / "out"), engine)
    image = sitk.ReadImage(str(volume))
    image[10, 10, 4] = 30000
    sitk.WriteImage(image, str(volume))
    with pytest.raises(InputError, match="not the volume that was segmented"):
        replayed(volume, tmp_path / "out" / "Bauch größer.provenance.json", engine)


def test_a_replay_with_other_weights_is_refused(volume, engine, tmp_path):
    runSegmentJob(job(volume, tmp_path / "out"), engine)
    with pytest.raises(WeightsError, match="not those that were used"):
        replayed(
            volume,
            tmp_path / "out" / "Bauch größer.provenance.json",
            engine,
            lambda model: ModelSpec(card={"id": "other"}),
        )


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", '{"format": "SAMUNetSlicer provenance", "version": 99}']
)
def test_a_file_that_is_no_provenance_is_refused(tmp_path, content):
    path = tmp_path / "p.json"
    path.write_text(content)
    with pytest.raises(InputError):
        readProvenance(path)


def test_a_provenance_that_lacks_a_part_is_refused(volume, engine, tmp_path):
    runSegmentJob(job(volume, tmp_path / "out"), engine)
    path = tmp_path / "out" / "Bauch größer.provenance.json"
    text = json.loads(path.read_text(encoding="utf-8"))
    del text["segments"][0]["provenance"]["slices"]
    path.write_text(json.dumps(text), encoding="utf-8")
    with pytest.raises(InputError, match="damaged"):
        readProvenance(path)


def test_results_that_are_there_are_refused_before_any_work(volume, engine, tmp_path):
    runSegmentJob(job(volume, tmp_path / "out"), engine)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    engine.service.batches.clear()
    with pytest.raises(OutputError, match="exists already"):
        runSegmentJob(job(volume, tmp_path / "out"), engine)
    assert engine.service.batches == []
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_results_are_numbered_together_if_so_wanted(volume, engine, tmp_path):
    for _ in range(3):
        result = runSegmentJob(job(volume, tmp_path / "out", existing="number", name="x"), engine)
    assert sorted(path.name for path in result.files) == [f"x-3{ending}" for ending in ENDINGS]
    assert len(list((tmp_path / "out").iterdir())) == 12


def test_results_are_replaced_if_so_wanted(volume, engine, tmp_path):
    for _ in range(2):
        runSegmentJob(job(volume, tmp_path / "out", existing="overwrite", name="x"), engine)
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_pictures_of_the_slices_are_drawn_on_demand(volume, engine, tmp_path):
    result = runSegmentJob(job(volume, tmp_path / "out", name="x", withPictures=True), engine)
    pictures = [path for path in result.files if path.suffix == ".png"]
    assert [path.name for path in pictures] == ["001.png", "002.png", "003.png"]
    assert all(sitk.ReadImage(str(path)).GetSize()[0] > 0 for path in pictures)


def test_a_cancelled_job_leaves_nothing_behind(volume, engine, tmp_path):
    def cancel(done, total):
        if done == 2:
            raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        runSegmentJob(job(volume, tmp_path / "out"), engine, cancel)
    assert not (tmp_path / "out").exists()


def test_a_failing_slice_ends_the_job_with_its_sentence(volume, engine, tmp_path, monkeypatch):
    def refuse(image, prompts):
        raise PromptError("The model cannot use this.")

    monkeypatch.setattr(engine.service, "predict", refuse)
    with pytest.raises(PromptError, match="The model cannot use this"):
        runSegmentJob(job(volume, tmp_path / "out"), engine)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_one_sentence(volume, engine, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        runSegmentJob(job(volume, tmp_path / "out"), engine)


def test_nothing_is_left_when_the_last_file_cannot_be_written(volume, engine, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OutputError("The disk is full.")

    monkeypatch.setattr("SAMUNetSlicerLib.app.files.exportFormats.writeProvenance", fail)
    with pytest.raises(OutputError, match="disk is full"):
        runSegmentJob(job(volume, tmp_path / "out"), engine)
    assert not (tmp_path / "out").exists()
