"""The parts of the Slicer application that the module file needs and slicer-core lacks.

The scene, its nodes and all of MRML are the real ones.
"""

import sys
import types
import unittest


class _Parent:
    """What Slicer hands to a module: anything can be set."""


class ScriptedLoadableModule:
    def __init__(self, parent):
        self.parent = parent


class ScriptedLoadableModuleWidget:
    def __init__(self, parent=None):
        self.parent = parent
        self.layout = Layout()

    def setup(self):
        pass


class ScriptedLoadableModuleLogic:
    def __init__(self, parent=None):
        self.parent = parent


class ScriptedLoadableModuleTest(unittest.TestCase):
    pass


class Application:
    def __init__(self):
        self.processed = 0

    def processEvents(self):
        self.processed += 1


class Layout:
    def __init__(self):
        self.widgets = []

    def addWidget(self, widget):
        self.widgets.append(widget)

    def addStretch(self, _factor):
        pass


class _Widget:
    """A label or a button."""

    def __init__(self, text):
        self.text = text
        self.listeners = {}

    def connect(self, signal, listener):
        self.listeners[signal] = listener

    def setTextInteractionFlags(self, _flags):
        pass


def install(monkeypatch, scene):
    """Make ``import slicer.i18n``, ``slicer.ScriptedLoadableModule`` and ``qt`` work for one test.

    :return: a parent for the module's description.
    """
    import slicer

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
    qt = types.ModuleType("qt")
    qt.QLabel = qt.QPushButton = _Widget
    opened = []
    qt.QUrl, qt.QDesktopServices = str, types.SimpleNamespace(openUrl=opened.append, opened=opened)
    qt.Qt = types.SimpleNamespace(TextSelectableByMouse=1)
    for module in (i18n, loadable, qt):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(slicer, "mrmlScene", scene, raising=False)
    monkeypatch.setattr(slicer, "app", Application(), raising=False)
    return _Parent()
