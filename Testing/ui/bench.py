"""What the tests of the panel hold: widgets, session, fake engine, a volume."""

import numpy as np
import slicer
from PySide6 import QtWidgets

from app.desk import SHAPE
from fakes.fakeEngine import FakeEngine
from SAMUNetSlicerLib.app.files import addSliceNode
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from SAMUNetSlicerLib.scene.segments import SegmentWriter
from scene.segmentation_scene import CT, add_volume
from source_tree import MODULE


class Bench:
    """``ui``: widgets by name, under PythonQt's rules; ``window``: the PySide6 widget that holds them."""

    def __init__(self, host, engine=None, volume=None):
        from SAMUNetSlicerLib.ui.panel import Panel

        self.scene = scene = host.scene
        self.volume = volume or noise(scene)
        self.root = slicer.util.loadUI(str(MODULE / "Resources" / "UI" / "SAMUNetSlicer.ui"))
        self.root.setMRMLScene(scene)
        self.window = self.root.pyside
        self.ui = slicer.util.childWidgetVariables(self.root)
        self.engine = engine or FakeEngine(is_automatic=True)
        self.panel = Panel(self.ui, scene, self.engine, icon)
        self.session = self.panel.session
        self.panel.enter()
        self.view = addSliceNode(host, "Red")
        self.ui.volumeSelector.setCurrentNode(self.volume)
        self.show(4)

    def show(self, index):
        """Scroll the slice view to an axial slice."""
        self.view.show(self.volume)
        self.view.setOffset(float(self.plane(index).pixelToRAS([(0, 0)])[0, 2]))
        self.tick()

    def plane(self, index):
        return planeFromAxis(self.volume, "K", index)

    def mask(self):
        """The chosen segment on the shown slice, bool (H, W)."""
        session = self.session
        reader = session.workspace.writer.readMask
        return reader(session.segmentationNode, session.segmentId, session.plane)

    def paint(self, rows, columns):
        """Paint a rectangle into the chosen segment as the Segment Editor would."""
        session, mask = self.session, np.zeros(self.session.plane.shape, bool)
        mask[rows, columns] = True
        writer = SegmentWriter(self.scene)
        writer.writeMask(
            session.segmentationNode, session.segmentId, session.plane, mask, self.volume, mode="add"
        )

    def click(self, button):
        """Press a button as the mouse would; a disabled one does not react."""
        self.ui.__dict__[button].pyside.click()
        self.tick()

    def tick(self, count=3):
        """Let the timer fire."""
        for _ in range(count):
            self.panel._tick()

    def picture(self, path, width, height=900):
        """Save the panel as it looks at a width."""
        self.window.resize(width, height)
        self.window.show()
        for _ in range(3):
            QtWidgets.QApplication.processEvents()
        self.window.grab().save(str(path))

    def close(self):
        self.panel.close()
        self.window.deleteLater()


def noise(scene):
    """A volume of random intensities."""
    voxels = np.random.default_rng(0).integers(-1000, 1000, SHAPE, dtype=np.int16)
    return add_volume(scene, ijk_to_ras=CT, array=voxels)


def icon(name):
    from qt import QIcon

    return QIcon(str(MODULE / "Resources" / "Icons" / f"{name}.svg"))
