"""The parts of the Slicer application that the module file needs and slicer-core lacks.

The scene, its nodes and all of MRML are the real ones; widgets are PySide6's under PythonQt's rules.
"""

import sys
import types
import unittest

from PySide6 import QtWidgets

from fakes import parameterNodes
from source_tree import MODULE
from ui import pythonqt, slicerWidgets


class _Parent:
    """What Slicer hands to a module: anything can be set."""


class ScriptedLoadableModule:
    def __init__(self, parent):
        self.parent = parent


class ScriptedLoadableModuleWidget:
    def __init__(self, parent=None):
        super().__init__()
        self.parent = parent or _moduleParent()
        self.layout = self.parent.layout()

    def setup(self):
        pass

    def cleanup(self):
        pass

    def onReload(self):
        pass

    def resourcePath(self, name):
        return str(MODULE / "Resources" / name)


class ScriptedLoadableModuleLogic:
    def __init__(self, parent=None):
        super().__init__()
        self.parent = parent
        self.moduleName = "SAMUNetSlicer"

    def getParameterNode(self):
        import slicer

        scene = slicer.mrmlScene
        node = scene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = scene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
            node.UnRegister(None)
            node.SetSingletonTag(self.moduleName)
            node.SetAttribute("ModuleName", self.moduleName)
            node = scene.AddNode(node)
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    pass


class Application:
    """``slicer.app``; ``mainWindow`` is None until a test makes one."""

    applicationName = "Slicer"

    def __init__(self):
        self.processed = 0
        self.listeners = {}
        self.mainWindow = None

    def connect(self, signal, listener):
        self.listeners[signal] = listener

    def processEvents(self):
        self.processed += 1
        QtWidgets.QApplication.processEvents()

    def topLevelWidgets(self):
        return [] if self.mainWindow is None else [self.mainWindow]

    def clipboard(self):
        return pythonqt.wrap(QtWidgets.QApplication.clipboard())

    def testingEnabled(self):
        return True

    def layoutManager(self):
        return None

    def makeMainWindow(self):
        window = QtWidgets.QMainWindow()
        window.setObjectName("qSlicerMainWindow")
        window.statusBar()
        self.mainWindow = pythonqt.QtObject(window)
        return window


def install(monkeypatch, scene, settings_folder):
    """Make ``qt``, ``ctk``, ``slicer.app`` and the scripted part of ``slicer`` work for one test.

    :param settings_folder: where ``qt.QSettings`` are kept.
    :return: a parent for the module's description.
    """
    import slicer

    qt, ctk = pythonqt.install(slicerWidgets.WIDGETS, settings_folder)
    i18n = types.ModuleType("slicer.i18n")
    i18n.tr = lambda text: text
    i18n.translate = lambda _context, text: text
    loadable = types.ModuleType("slicer.ScriptedLoadableModule")
    for kind in (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    ):
        setattr(loadable, kind.__name__, kind)
    for module in (i18n, loadable, qt, ctk):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    parameterNodes.install(monkeypatch)
    for name in ("qMRMLSegmentEditorWidget", "qMRMLWidget"):
        monkeypatch.setattr(slicer, name, getattr(ctk, name), raising=False)
    monkeypatch.setattr(slicer, "mrmlScene", scene, raising=False)
    monkeypatch.setattr(slicer, "app", Application(), raising=False)
    return _Parent()


def _moduleParent():
    parent = slicerWidgets.qSlicerScriptedLoadableModuleWidget()
    layout = QtWidgets.QVBoxLayout(parent)
    layout.setContentsMargins(0, 0, 0, 0)
    return pythonqt.QtObject(parent)
