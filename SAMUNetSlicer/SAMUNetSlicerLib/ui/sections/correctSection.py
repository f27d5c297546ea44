"""Slicer's own editing tools on the chosen segment."""

from typing import Optional

import slicer
import vtk
from slicer.i18n import tr as _

from ...app.session import SegmentationSession, useMaskAsPrompt
from ...scene.observers import Observers
from ..parts import StatusLine
from .promptToolsSection import PromptToolsSection

_EFFECTS = ("Paint", "Draw", "Erase", "Scissors", "Islands", "Smoothing", "Margin", "Logical operators")
_OWN_IN_THE_PANEL = (
    "segmentationNodeSelectorVisible",
    "sourceVolumeNodeSelectorVisible",
    "addRemoveSegmentButtonsVisible",
    "switchToSegmentationsButtonVisible",
    "show3DButtonVisible",
    "autoShowSourceVolumeNode",
    "undoEnabled",
)
_TAG = "SAMUNetSlicer"


class CorrectSection:
    """A Segment Editor without what the panel has itself: selectors, table, undo.

    It is made when it is first opened, because making its effects takes longer than opening the module.
    A prompt tool and an effect exclude each other: both want the left mouse button.
    """

    def __init__(self, ui, session: SegmentationSession, status: StatusLine, tools: PromptToolsSection):
        self._ui, self._session, self._status, self._tools = ui, session, status, tools
        self.editor = None
        self._node = None
        self._isEntered = self._isStale = False
        self._observers = Observers()
        ui.maskPromptButton.connect("clicked()", status.guard(self._useMask))
        ui.correctSection.connect("contentsCollapsed(bool)", self._onCollapsed)
        session.statusChanged.connect(self.refresh)
        session.polled.connect(self._onPolled)
        tools.toolChanged.connect(self._onTool)
        self.refresh()

    def enter(self) -> None:
        self._isEntered = True
        if self.editor is not None:
            self.editor.setupViewObservations()
            self.refresh()

    def exit(self) -> None:
        """Leave the section; may be called twice."""
        self._isEntered = False
        if self.editor is not None:
            self._putEffectDown()
            self.editor.removeViewObservations()

    def refresh(self) -> None:
        """Let the editor work on what the session works on."""
        self._ui.maskPromptButton.enabled = self._session.segmentId is not None
        if self.editor is None:
            return
        session, editor = self._session, self.editor
        self._selectNode()
        if self._node.GetSegmentationNode() is not session.segmentationNode:
            editor.setSegmentationNode(session.segmentationNode)
        if self._node.GetSourceVolumeNode() is not session.volumeNode:
            editor.setSourceVolumeNode(session.volumeNode)
        if (self._node.GetSelectedSegmentID() or None) != session.segmentId:
            editor.setCurrentSegmentID(session.segmentId or "")

    def close(self) -> None:
        self._observers.close()
        self.exit()

    def _onCollapsed(self, isCollapsed: bool) -> None:
        if isCollapsed:
            self._putEffectDown()
        elif self.editor is None:
            self._status.attempt(self._make)

    def _useMask(self) -> None:
        useMaskAsPrompt(self._session, self._session.segmentId)
        self._status.say(_("The next prompt on this slice starts from the mask as it is."))

    def _make(self) -> None:
        self.editor = editor = slicer.qMRMLSegmentEditorWidget()
        self._selectNode()
        editor.setMRMLScene(self._session.workspace.scene)
        for name in _OWN_IN_THE_PANEL:
            setattr(editor, name, False)
        editor.effectColumnCount = 2
        editor.unorderedEffectsVisible = False
        editor.setEffectNameOrder(list(_EFFECTS))
        slicer.util.findChild(editor, "SegmentsTableView").visible = False
        self._ui.editorPlace.layout().addWidget(editor)
        if self._isEntered:
            self.enter()

    def _selectNode(self) -> None:
        """Use a node apart from the Segment Editor module's; a closed scene forgets what it held."""
        scene = self._session.workspace.scene
        node = scene.GetSingletonNode(_TAG, "vtkMRMLSegmentEditorNode")
        if node is None:
            node = slicer.vtkMRMLSegmentEditorNode()
            node.SetSingletonTag(_TAG)
            node = scene.AddNode(node)
        if node is not self._node:
            self._node = node
            self._observers.close()
            self._observers.add(node, vtk.vtkCommand.ModifiedEvent, self._onNode)
            self.editor.setMRMLSegmentEditorNode(node)

    def _onNode(self, *_) -> None:
        self._isStale = True
        if self._node.GetActiveEffectName():
            self._tools.setTool(None)

    def _onPolled(self) -> None:
        """Take back what the editor chooses at the end of an import: whatever its hidden selectors come
        upon.
        """
        if self._isStale:
            self._isStale = False
            self.refresh()

    def _onTool(self, tool: Optional[str]) -> None:
        if tool is not None:
            self._putEffectDown()

    def _putEffectDown(self) -> None:
        if self.editor is not None:
            self.editor.setActiveEffect(None)
