"""What a front end holds, for the tests of the session: a scene, a fake engine, a session, its events."""

import numpy as np

from fakes.fakeEngine import FAKE_SPEC, FakeEngine
from SAMUNetSlicerLib.app.session import SegmentationSession
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from scene.segmentation_scene import CT, add_volume, voxels_of

SHAPE = (10, 40, 50)


class Desk:
    """A session on a volume with a slice chosen, and everything that it has said."""

    def __init__(self, scene):
        self.scene = scene
        voxels = np.random.default_rng(0).integers(-1000, 1000, SHAPE, dtype=np.int16)
        self.volume = add_volume(scene, ijk_to_ras=CT, array=voxels)
        self.engine = FakeEngine(is_automatic=True)
        self.session = SegmentationSession(scene, self.engine)
        self.errors, self.masks, self.prompt_changes = [], [], []
        self.session.error.connect(self.errors.append)
        self.session.maskChanged.connect(lambda *event: self.masks.append(event))
        self.session.promptChanged.connect(lambda *event: self.prompt_changes.append(event))
        self.session.setModel(FAKE_SPEC)
        self.session.setVolume(self.volume)
        self.session.setPlane(self.plane(4))
        self.session.poll()

    def plane(self, index, axis="K"):
        return planeFromAxis(self.volume, axis, index)

    def mask(self, plane=None, segment=None):
        """The segment on a slice, bool (H, W)."""
        session = self.session
        reader = session.workspace.writer.readMask
        return reader(session.segmentationNode, segment or session.segmentId, plane or session.plane)

    def voxels(self, segment=None):
        return voxels_of(self.session.segmentationNode, segment or self.session.segmentId, SHAPE)

    def paint(self, plane=None, segment=None, value=True, **pixels):
        """Paint or erase a rectangle (rows, columns) as the Segment Editor would."""
        session, plane = self.session, plane or self.session.plane
        mask = np.zeros(plane.shape, bool)
        mask[pixels["rows"], pixels["columns"]] = True
        session.workspace.writer.writeMask(
            session.segmentationNode,
            segment or session.segmentId,
            plane,
            mask,
            self.volume,
            mode="add" if value else "subtract",
        )

    def click(self, x, y, is_positive=True, plane=None):
        """A click, and its mask."""
        prompt = self.session.addPoint((x, y), is_positive, plane)
        self.session.waitUntilIdle()
        return prompt
