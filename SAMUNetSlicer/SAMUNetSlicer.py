"""Define the module that Slicer finds; all else is in SAMUNetSlicerLib and loaded when it is used."""

import sys
from typing import Optional

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

HOMEPAGE = "https://github.com/SAMUNetSlicer/SlicerSAMUNet"

# Node selectors find the nodes of an imported scene at the end of the import, with priority 0.
_AFTER_THE_SELECTORS = -10.0


class SAMUNetSlicer(ScriptedLoadableModule):
    """Description of the module for Slicer's module list, help and search."""

    def __init__(self, parent):
        super().__init__(parent)
        parent.title = _("SAM-UNet")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = ["Segmentations", "Markups"]
        parent.contributors = ["SAMUNetSlicer contributors"]
        parent.helpText = _(
            "Segments structures of a volume from points and boxes on its slices, with SAM-UNet and other "
            "networks of the Segment Anything family. For research use only. See the {link}."
        ).format(link=f'<a href="{HOMEPAGE}">{_("documentation")}</a>')
        parent.acknowledgementText = _(
            "Please cite: Yang S., Bi H., Zhang H., Sun J. SAM-UNet: Enhancing Zero-Shot Segmentation of SAM "
            "for Universal Medical Images. arXiv 2408.09886v1, 2024."
        )
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData():
    """Offer the sample volume in Slicer's Sample Data module."""
    from SAMUNetSlicerLib.ui.setup import registerSampleData

    registerSampleData()


class SAMUNetSlicerWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Panel of the module as Slicer knows it; what it does is in SAMUNetSlicerLib.ui."""

    def __init__(self, parent=None):
        self.panel = None
        super().__init__(parent)

    def setup(self):
        super().setup()
        self.logic = SAMUNetSlicerLogic()
        self.build()

    def build(self):
        """Build the panel, or a page that says why that cannot be."""
        try:
            self.buildPanel()
        except Exception as error:  # whatever it is: the panel is never empty
            import logging

            logging.exception("The panel of SAM-UNet could not be built")
            self.showFailure(error)

    def buildPanel(self):
        from SAMUNetSlicerLib.ui.panel import Panel

        uiWidget = slicer.util.loadUI(self.resourcePath("UI/SAMUNetSlicer.ui"))
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        engine = self.logic.makeEngine()
        try:
            self.panel = Panel(self.ui, slicer.mrmlScene, engine, self.icon)
        except Exception:
            engine.close()
            raise
        self.layout.addWidget(uiWidget)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneChanged)
        self.addObserver(scene, scene.StartImportEvent, self.onSceneStartImport)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndImport, priority=_AFTER_THE_SELECTORS)
        if getattr(self.parent, "isEntered", False):
            # Reloaded, or built at last, while it is shown: Slicer does not enter it again.
            self.enter()

    def showFailure(self, error: Exception):
        """Say in the place of the panel what is missing."""
        try:
            from SAMUNetSlicerLib.ui.setup import FailurePage

            FailurePage(self.layout, error, self.build)
        except Exception:  # not even that is there
            import qt

            text = _("The extension SAM-UNet is incomplete ({error}): reinstall it.")
            self.layout.addWidget(qt.QLabel(text.format(error=error)))

    def icon(self, name: str):
        """Return one of the panel's own icons."""
        import qt

        return qt.QIcon(self.resourcePath(f"Icons/{name}.svg"))

    def enter(self):
        if self.panel is None:
            return
        self.panel.useParameters(self.logic.getParameterNode())
        self.panel.enter()

    def exit(self):
        if self.panel is not None:
            self.panel.exit()

    def cleanup(self):
        self.removeObservers()
        if self.panel is not None:
            self.panel.close()

    def onSceneStartClose(self, caller=None, event=None):
        self.panel.useParameters(None)

    def onSceneStartImport(self, caller=None, event=None):
        self.panel.beginImport()

    def onSceneEndImport(self, caller=None, event=None):
        self.panel.endImport()
        self.onSceneChanged()

    def onSceneChanged(self, caller=None, event=None):
        if self.parent.isEntered:
            self.panel.useParameters(self.logic.getParameterNode())

    def onReload(self):
        # Slicer reloads this file alone; the library must be imported again as well.
        for name in [name for name in sys.modules if name.split(".")[0] == "SAMUNetSlicerLib"]:
            del sys.modules[name]
        super().onReload()


class SAMUNetSlicerLogic(ScriptedLoadableModuleLogic):
    """Segments from scripts, without the widget."""

    @staticmethod
    def makeEngine():
        """Return an engine that starts a process of its own when it is first asked for something."""
        from SAMUNetSlicerLib.app.engines import ProcessEngine
        from SAMUNetSlicerLib.ui.setup import slicerEngineLaunch

        return ProcessEngine(slicerEngineLaunch())

    def obtainWeights(self, modelId: Optional[str] = None) -> str:
        """Download the weights of a model unless they are here, after the user has agreed.

        :param modelId: a model of the catalog, its default if None.
        :return: path of the weights.
        :raises SAMUNetSlicerLib.errors.UserError: as for ``segment``; also when the user does not agree.
        """
        from SAMUNetSlicerLib.app.models import catalog, obtainWeights

        def agree(text: str) -> bool:
            return slicer.util.confirmYesNoDisplay(_("{text} Download them now?").format(text=text))

        models = catalog()
        return str(obtainWeights(models.get(modelId or models.default), agree))

    def segment(
        self,
        volumeNode,
        promptsFile: str,
        segmentationNode=None,
        modelId: Optional[str] = None,
        device: str = "auto",
    ):
        """Segment a volume of the scene as a prompts file says.

        Slicer stays responsive; weights must be here already, see ``obtainWeights``.

        :param promptsFile: path of a prompts file, see the documentation.
        :param segmentationNode: takes the segments; a new one if None.
        :param modelId: a model of the catalog, its default if None.
        :param device: "auto", "cpu", "cuda" or "cuda:N".
        :return: the segmentation node.
        :raises SAMUNetSlicerLib.errors.UserError: its text says what is wrong and what to do.
        """
        from SAMUNetSlicerLib.app.jobs import runPrompts
        from SAMUNetSlicerLib.app.models import modelSpec
        from SAMUNetSlicerLib.app.prompts import readPromptsFile
        from SAMUNetSlicerLib.app.session import SegmentationSession

        prompts, spec = readPromptsFile(promptsFile), modelSpec(modelId, device=device)
        engine = self.makeEngine()
        session = SegmentationSession(slicer.mrmlScene, engine)
        try:
            session.setVolume(volumeNode)
            session.setSegmentation(segmentationNode)
            engine.wait(session.setModel(spec), slicer.app.processEvents)
            runPrompts(session, prompts, pump=slicer.app.processEvents)
            return session.segmentationNode
        finally:
            session.close()
            engine.close()


class SAMUNetSlicerTest(ScriptedLoadableModuleTest):
    """Slicer's "Reload and Test"; the scene is cleared, no network is needed."""

    def runTest(self, **_options):
        import unittest

        from SAMUNetSlicerLib.ui.selfTest import SelfTest

        suite = unittest.defaultTestLoader.loadTestsFromTestCase(SelfTest)
        result = unittest.TextTestRunner(verbosity=2).run(suite)
        self.assertTrue(result.wasSuccessful(), "The Python console says which tests have failed.")
