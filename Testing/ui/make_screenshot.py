"""Draw the panel and a segmented slice for the README, with the default network on the sample volume.

OMP_NUM_THREADS=1 python Testing/ui/make_screenshot.py Resources/Screenshots/panel.png
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

import pytest
import slicer
from PIL import Image

from fakes import slicerApplication
from SAMUNetSlicerLib.app.engines import ProcessEngine
from SAMUNetSlicerLib.app.files import loadVolume, startScene
from SAMUNetSlicerLib.engine.windowing import WindowSetting, to_uint8
from SAMUNetSlicerLib.scene.geometry import extractSlice, planeFromAxis
from SAMUNetSlicerLib.scene.views import renderOverlay
from source_tree import MODULE
from ui.bench import Bench

SLICE = 19
CLICKS = {"Liver": (120, 150), "Spleen": (288, 185)}
SIZE = (350, 672)


def main(path):
    with startScene() as host, pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        slicerApplication.install(patch, host.scene, folder)
        slicer.app.makeMainWindow()
        volume = loadVolume(host, MODULE / "Resources" / "SampleData" / "AbdominalCT.nrrd")
        volume.SetName("AbdominalCT")
        bench = Bench(host, ProcessEngine(), volume)
        try:
            picture = draw(bench, volume, Path(folder) / "panel.png")
        finally:
            bench.close()
    picture.save(path, optimize=True)


def draw(bench, volume, file):
    plane = planeFromAxis(volume, "K", SLICE)
    bench.show(SLICE)
    bench.panel.choices.window.choose("preset:abdomen")
    bench.click("positiveButton")
    bench.session.engine.wait(bench.panel.model._ticket)
    for name, place in CLICKS.items():
        bench.session.addSegment(name)
        bench.session.addPoint(place, plane=plane)
        bench.session.waitUntilIdle()
    bench.panel.status.setReadiness(0, 0)
    bench.panel.status.say("")  # leaves the hint: times are those of this computer
    bench.picture(file, *SIZE)
    panel = Image.open(file)
    view = Image.fromarray(overlay(bench, volume, plane))
    view = view.resize((round(view.width * SIZE[1] / view.height), SIZE[1]), Image.Resampling.LANCZOS)
    sheet = Image.new("RGB", (panel.width + view.width, SIZE[1]))
    sheet.paste(panel, (0, 0))
    sheet.paste(view, (panel.width, 0))
    return sheet


def overlay(bench, volume, plane):
    """The slice with its segments and clicks."""
    image = to_uint8(extractSlice(volume, plane), WindowSetting("preset:abdomen"))
    node, reader = bench.session.segmentationNode, bench.session.workspace.writer.readMask
    segmentation = node.GetSegmentation()
    for segment_id, place in zip(segmentation.GetSegmentIDs(), CLICKS.values()):
        color = tuple(round(255 * part) for part in segmentation.GetSegment(segment_id).GetColor())
        mask = reader(node, segment_id, plane)
        image = renderOverlay(image, mask, color=color, points=[place], labels=[1], size=max(image.shape[:2]))
    return image


if __name__ == "__main__":
    main(Path(sys.argv[1]))
