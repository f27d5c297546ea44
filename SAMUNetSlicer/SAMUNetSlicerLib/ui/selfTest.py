"""Test what must work in every Slicer: run by "Reload and Test", by ctest, and on slicer-core by pytest.

Nothing here needs a network.  The scene is cleared.
"""

import tempfile
import unittest
from pathlib import Path

import numpy as np
import slicer

from ..app.engines import RADIUS, SPEC, DummyEngine, ProcessEngine
from ..app.models import missingRequirements
from ..app.session import SegmentationSession
from ..engine.overlap import dice
from ..engine.windowing import WindowSetting
from ..errors import InputError
from ..scene.geometry import planeFromAxis
from ..scene.prompts import promptNodes
from .setup import slicerEngineLaunch

_SHAPE = (9, 64, 64)  # slices, rows, columns
_SLICE = 4
_CENTER = (32, 32)
_BLOB_RADIUS = 12


class SelfTest(unittest.TestCase):
    """A volume with a bright disk on each slice, a session on it, and a stand-in for the network."""

    def setUp(self):
        slicer.mrmlScene.Clear(0)
        self.volume = _addBlob()
        self.session = self.openSession(DummyEngine())
        self.session.setModel(SPEC)
        self.session.poll()

    def tearDown(self):
        self.session.close()
        self.session.engine.close()
        slicer.mrmlScene.Clear(0)

    def openSession(self, engine):
        session = SegmentationSession(slicer.mrmlScene, engine)
        session.setVolume(self.volume)
        session.setPlane(planeFromAxis(self.volume, "K", _SLICE))
        return session

    def testAClickBecomesASegmentOfANewSegmentation(self):
        self.click(20, 30)
        np.testing.assert_array_equal(self.mask(), _disk(20, 30))
        self.assertEqual(self.session.segmentationNode.GetSegmentation().GetNumberOfSegments(), 1)

    def testPointsThatArePlacedMovedAndRemovedInMarkupsChangeTheMask(self):
        self.click(20, 30)
        (points,) = self.promptNodes()
        points.AddControlPoint(self.ras(40, 30))
        self.session.waitUntilIdle()
        np.testing.assert_array_equal(self.mask(), _disk(20, 30) | _disk(40, 30))
        points.SetNthControlPointPosition(1, self.ras(50, 40))
        self.session.waitUntilIdle()
        np.testing.assert_array_equal(self.mask(), _disk(20, 30) | _disk(50, 40))
        points.RemoveNthControlPoint(0)
        self.session.waitUntilIdle()
        np.testing.assert_array_equal(self.mask(), _disk(50, 40))

    def testASecondSegmentLeavesTheFirstAsItIsAndUndoTakesItBack(self):
        self.click(20, 30)
        first = self.session.segmentId
        self.session.nextSegment("Second")
        self.click(23, 30)
        np.testing.assert_array_equal(self.mask(first), _disk(20, 30))
        np.testing.assert_array_equal(self.mask(), _disk(23, 30) & ~_disk(20, 30))
        self.assertTrue(self.session.undo())
        self.assertFalse(self.mask().any())
        self.assertEqual(self.session.prompts(), [])

    def testASavedSceneIsTakenUpWhereItWasLeft(self):
        self.click(20, 30)
        segment, mask = self.session.segmentId, self.mask()
        self.session.close()
        with tempfile.TemporaryDirectory() as folder:
            bundle = str(Path(folder) / "scene.mrb")
            self.assertTrue(slicer.mrmlScene.WriteToMRB(bundle))
            slicer.mrmlScene.Clear(0)
            self.assertTrue(slicer.mrmlScene.ReadFromMRB(bundle))
        self.volume = slicer.mrmlScene.GetFirstNodeByName("Blob")
        self.session = self.openSession(DummyEngine())
        self.session.setSegmentation(slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSegmentationNode"))
        self.session.selectSegment(segment)
        np.testing.assert_array_equal(self.mask(), mask)
        self.assertEqual([record.kind for record in self.session.prompts()], ["positive"])

    def testThePanelsChoicesAreKeptInAParameterNode(self):
        from .parts import panelParameters

        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
        parameters = panelParameters(node)
        parameters.volume, parameters.window, parameters.propagationLast = self.volume, "slice", 7
        del parameters  # it would print that it cannot read the next line
        node.SetParameter("propagationFirst", "of a damaged scene")
        read = panelParameters(node)
        self.assertEqual(read.volume.GetID(), self.volume.GetID())
        self.assertEqual((read.window, read.propagationFirst, read.propagationLast), ("slice", 0, 7))

    def testClosingTheSceneEndsTheWorkAndANewVolumeBeginsIt(self):
        self.click(20, 30)
        self.session.addPoint((40, 40))  # not answered when the scene closes
        slicer.mrmlScene.Clear(0)
        self.session.poll()
        with self.assertRaisesRegex(InputError, "no volume to segment"):
            self.click(20, 30)
        self.volume = _addBlob()
        self.session.setVolume(self.volume)
        self.session.setPlane(planeFromAxis(self.volume, "K", _SLICE))
        self.click(20, 30)
        np.testing.assert_array_equal(self.mask(), _disk(20, 30))

    def testTheDefaultNetworkFindsWhatABoxAndAClickMean(self):
        from ..app.models import modelSpec

        missing = ", ".join(each.requirement.distribution for each in missingRequirements())
        if missing:
            self.skipTest(f"Still to be installed: {missing}")
        self.session.close()
        self.session = self.openSession(ProcessEngine(slicerEngineLaunch()))
        self.session.setWindow(WindowSetting("slice"))
        self.session.engine.wait(self.session.setModel(modelSpec(device="cpu")), slicer.app.processEvents)
        self.session.addBox((18, 18), (46, 46))
        self.assertGreater(self.diceWithBlob(), 0.9)
        self.session.clear()
        self.session.addPoint(_CENTER)
        self.assertGreater(self.diceWithBlob(), 0.9)

    def click(self, x, y):
        self.session.addPoint((x, y))
        self.session.waitUntilIdle(slicer.app.processEvents)

    def ras(self, x, y):
        return self.session.plane.pixelToRAS([[x, y]])[0]

    def promptNodes(self):
        return promptNodes(slicer.mrmlScene, self.session.segmentationNode)

    def mask(self, segmentId=None):
        """Return a segment on the slice, the chosen one if none is named."""
        session = self.session
        segmentId = segmentId or session.segmentId
        return session.workspace.writer.readMask(session.segmentationNode, segmentId, session.plane)

    def diceWithBlob(self):
        self.session.waitUntilIdle(slicer.app.processEvents)
        mask, truth = self.mask(), _disk(*_CENTER, _BLOB_RADIUS)
        return dice(mask, truth)


def _addBlob():
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Blob")
    node.SetIJKToRASDirections(-1, 0, 0, 0, -1, 0, 0, 0, 1)
    slice_ = np.where(_disk(*_CENTER, _BLOB_RADIUS), 200, 20).astype(np.int16)
    slicer.util.updateVolumeFromArray(node, np.repeat(slice_[np.newaxis], _SHAPE[0], axis=0))
    node.CreateDefaultDisplayNodes()
    return node


def _disk(x, y, radius=RADIUS):
    rows, columns = np.indices(_SHAPE[1:])
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2
