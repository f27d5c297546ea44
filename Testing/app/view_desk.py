"""A session with slice views that have real windows and mice; for use in a child process."""

import numpy as np

from fakes.fakeEngine import FAKE_SPEC, FakeEngine
from SAMUNetSlicerLib.app.files import addSliceNode, startScene
from SAMUNetSlicerLib.app.session import SegmentationSession, ViewFollower, ViewTools
from SAMUNetSlicerLib.scene.geometry import planeFromSliceNode
from scene.segmentation_scene import add_volume
from scene.slice_window import SliceWindow

SIZE = (300, 300)
SHAPE = (20, 60, 60)


class ViewDesk:
    """A front end without widgets: session, views, tools.

    :param make_volume: called with the host; returns the volume.
    :param orientations: by view name.
    """

    def __init__(self, make_volume, orientations=None, engine=None):
        self.host = startScene()
        self.scene = self.host.scene
        self.volume = make_volume(self.host)
        if self.volume.GetDisplayNode() is None:
            self.volume.CreateDefaultDisplayNodes()
        self.engine = engine or FakeEngine(is_automatic=True)
        self.session = SegmentationSession(self.scene, self.engine)
        self.errors = []
        self.session.error.connect(self.errors.append)
        if engine is None:
            self.session.setModel(FAKE_SPEC)
        self.session.setVolume(self.volume)
        orientations = orientations or {"Red": "Axial"}
        self.views = {name: addSliceNode(self.host, name, each, SIZE) for name, each in orientations.items()}
        for view in self.views.values():
            view.show(self.volume)
        self.windows = {name: SliceWindow(self.host, view, SIZE) for name, view in self.views.items()}
        self.follower = ViewFollower(self.session)
        self.tools = ViewTools(self.session, self.follower)
        for name, window in self.windows.items():
            self.tools.attach(window.interactor, self.views[name].node)
        self.tools.tool = "positive"
        self.session.poll()

    def close(self):
        self.tools.close()
        self.follower.close()
        self.session.close()
        self.engine.close()
        self.host.close()

    def plane(self, name="Red"):
        return planeFromSliceNode(self.views[name].node, self.volume)

    def mouse_at(self, pixel, name="Red"):
        """Where in a view's window a pixel of the volume's slice is, rounded to whole window pixels."""
        ras = self.plane(name).pixelToRAS([pixel])[0]
        ras_to_xy = np.linalg.inv(matrix_of(self.views[name].node.GetXYToRAS()))
        return tuple(np.rint((ras_to_xy @ [*ras, 1.0])[:2]).astype(int).tolist())

    def ras_at(self, position, name="Red"):
        """The world point under the mouse, by the slice node's own matrix."""
        return self.views[name].node.GetXYToRAS().MultiplyPoint((*map(float, position), 0.0, 1.0))[:3]

    def click(self, position, name="Red", **modifiers):
        self.windows[name].click(*position, **modifiers)
        self.session.waitUntilIdle()

    def drag(self, start, end, name="Red", **options):
        self.windows[name].drag(start, end, **options)
        self.session.waitUntilIdle()

    def mask(self, name="Red"):
        session = self.session
        reader = session.workspace.writer.readMask
        return reader(session.segmentationNode, session.segmentId, self.plane(name))

    def prompts(self, name="Red"):
        return self.session.prompts(self.plane(name))

    def away(self, name="Red"):
        """Move the mouse where nothing is."""
        self.windows[name].mouse("MouseMove", 3, 3)


def matrix_of(matrix):
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def desk_on(shape=SHAPE, matrix=None, **options):
    """A desk on noise, spacing 1 x 1 x 2.5 mm unless a matrix (4, 4) is given."""
    voxels = np.random.default_rng(0).integers(-1000, 1000, shape, dtype=np.int16)
    spacing = np.diag([1.0, 1.0, 2.5, 1.0]) if matrix is None else matrix
    return ViewDesk(lambda host: add_volume(host.scene, ijk_to_ras=spacing, array=voxels), **options)
