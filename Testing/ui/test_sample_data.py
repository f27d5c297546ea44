"""The volume for the first try: in Slicer's Sample Data, loaded by one button, segmented by two clicks."""

import hashlib
import sys
import types
import urllib.request

import numpy as np
import pytest
import slicer
import vtk
from PIL import Image

from SAMUNetSlicerLib.app.engines import ThreadEngine
from SAMUNetSlicerLib.app.files import loadVolume, startScene
from SAMUNetSlicerLib.app.models import modelSpec
from SAMUNetSlicerLib.app.session import FOLLOW_DISPLAY, SegmentationSession
from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.geometry import displayWindow, planeFromAxis

SPLEEN, LIVER = 1, 5


class SampleDataLogic:
    """What Slicer 5.8's logic of this name is used for."""

    sources = ()

    @staticmethod
    def registerCustomSampleDataSource(
        category="Custom",
        sampleName=None,
        uris=None,
        fileNames=None,
        nodeNames=None,
        customDownloader=None,
        thumbnailFileName=None,
        loadFileTypes=None,
        loadFiles=None,
        loadFileProperties={},  # noqa: B006
        checksums=None,
        loadFileType=None,
    ):
        SampleDataLogic.sources += (types.SimpleNamespace(**locals()),)


@pytest.fixture
def sampleData(monkeypatch):
    for name, attributes in {
        "slicer.i18n": {"tr": lambda text: text},
        "SampleData": {"SampleDataLogic": SampleDataLogic},
    }.items():
        module = types.ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(SampleDataLogic, "sources", ())
    monkeypatch.delitem(sys.modules, "SAMUNetSlicerLib.ui.setup.sampleData", raising=False)
    from SAMUNetSlicerLib.ui.setup import sampleData

    yield sampleData
    sys.modules.pop("SAMUNetSlicerLib.ui.setup.sampleData", None)


@pytest.fixture
def host(monkeypatch):
    with startScene() as host:
        monkeypatch.setattr(slicer, "mrmlScene", host.scene, raising=False)
        monkeypatch.setattr(slicer.util, "loadVolume", lambda *arguments: _load(host, *arguments))
        monkeypatch.setattr(slicer, "app", types.SimpleNamespace(layoutManager=lambda: None), raising=False)
        yield host


def _load(host, path, properties):
    node = loadVolume(host, path)
    node.SetName(properties["name"])
    return node


def test_slicers_sample_data_can_fetch_it_and_prove_it(sampleData, tmp_path):
    sampleData.registerSampleData()
    (source,) = SampleDataLogic.sources
    target = tmp_path / source.fileNames
    urllib.request.urlretrieve(source.uris, target)  # as Slicer does it
    algorithm, digest = source.checksums.split(":")
    assert (algorithm, digest) == ("SHA256", hashlib.sha256(target.read_bytes()).hexdigest())
    assert (source.category, source.sampleName) == ("SAM-UNet", "SAMUNetAbdominalCT")


def test_its_thumbnail_has_the_size_of_slicers_own(sampleData):
    sampleData.registerSampleData()
    with Image.open(SampleDataLogic.sources[0].thumbnailFileName) as picture:
        assert picture.format == "PNG"
        assert 260 <= max(picture.size) <= 300


def test_newer_slicers_get_a_translated_title_of_the_category(sampleData, monkeypatch):
    titles = {}
    monkeypatch.setattr(
        SampleDataLogic, "registerCustomSampleDataCategory", staticmethod(titles.__setitem__), raising=False
    )
    sampleData.registerSampleData()
    assert titles == {SampleDataLogic.sources[0].category: "SAM-UNet"}


def test_one_button_loads_it_and_shows_it_in_the_window_of_the_abdomen(sampleData, host):
    node = sampleData.loadSample()
    assert (node.GetName(), node.GetImageData().GetDimensions()) == ("AbdominalCT", (374, 274, 20))
    assert displayWindow(node) == (40 - 175, 40 + 175)


def test_its_voxels_are_those_of_the_demos_volume_there(sampleData, host, repository):
    node, whole = sampleData.loadSample(), _demoVolume(host, repository, "ts_ct512")
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), _sameRegion(node, whole))


def test_the_two_clicks_of_the_hint_give_liver_and_spleen(sampleData, host, repository):
    node, labels = sampleData.loadSample(), _demoVolume(host, repository, "ts_ct512_seg")
    truth = _sameRegion(node, labels)[10]
    assert "liver" in sampleData.sampleHint() and "spleen" in sampleData.sampleHint()
    engine = ThreadEngine()
    session = SegmentationSession(host.scene, engine)
    try:
        session.setVolume(node)
        session.setWindow(FOLLOW_DISPLAY)
        session.setPlane(planeFromAxis(node, "axial", 10))
        engine.wait(session.setModel(modelSpec(device="cpu")))
        for click, label in (((80, 120), LIVER), ((300, 140), SPLEEN)):
            session.addSegment()
            session.addPoint(click)
            session.waitUntilIdle()
            writer = session.workspace.writer
            mask = writer.readMask(session.segmentationNode, session.segmentId, session.plane)
            organ = truth == label
            assert 2 * (mask & organ).sum() / (mask.sum() + organ.sum()) > 0.9
    finally:
        session.close()
        engine.close()


def test_a_file_that_is_missing_is_one_sentence(sampleData, monkeypatch):
    def fail(path, properties):
        raise RuntimeError(f"Failed to load node from file: {path}")

    monkeypatch.setattr(slicer.util, "loadVolume", fail)
    with pytest.raises(InputError, match=r"install the extension again .*AbdominalCT\.nrrd"):
        sampleData.loadSample()


def _demoVolume(host, repository, name):
    return loadVolume(host, repository / "Resources" / "SampleData" / f"{name}.nii.gz")


def _sameRegion(node, whole):
    """The voxels of a volume where another one with the same axes lies in it."""
    rasToIJK = vtk.vtkMatrix4x4()
    whole.GetRASToIJKMatrix(rasToIJK)
    start = np.round(rasToIJK.MultiplyPoint((*node.GetOrigin(), 1))[:3]).astype(int)
    i, j, k = (slice(first, first + size) for first, size in zip(start, node.GetImageData().GetDimensions()))
    return slicer.util.arrayFromVolume(whole)[k, j, i]
