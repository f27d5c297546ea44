"""Record edits from elsewhere, such as the Segment Editor, and masks that the user gives as prompts."""

from typing import Optional

import slicer

from ...errors import PromptError, UserError
from ...events import Signal
from ...scene.geometry import SlicePlane, planeFromAxis
from ...scene.observers import Observers
from ...scene.segments import Change, SegmentSnapshot
from .session import SegmentationSession
from .workspace import Target

_LABEL = "edit"


class ExternalEdits:
    """Puts what others do to the session's segments into its undo history, next to the prompts.

    Whatever paints, erases, smooths or undoes elsewhere makes a step; segments that it took voxels from get
    them back by the same step.  Edits within one interval of ``session.poll`` are one step.

        edits = ExternalEdits(session)
        edits.edited.connect(lambda segmentIds: ...)
        ...
        edits.close()

    That edits survive later prompts, and are what the network starts from, is `PixelOrigins`'s part.

    ``edited(segmentIds)``: an edit has become a step.
    """

    def __init__(self, session: SegmentationSession):
        self.edited = Signal("edited")
        self._session = session
        self._node = None
        self._snapshot: Optional[SegmentSnapshot] = None
        self._isChanged = False
        self._observers = Observers()
        session.statusChanged.connect(self._follow)
        session.polled.connect(self._update)
        session.editor.changeMade.connect(self._onOwn)
        self._follow()

    def close(self) -> None:
        """Stop recording; may be called twice."""
        self._session.statusChanged.disconnect(self._follow)
        self._session.polled.disconnect(self._update)
        self._session.editor.changeMade.disconnect(self._onOwn)
        self._forget()

    def _forget(self) -> None:
        self._observers.close()
        self._node = self._snapshot = None
        self._isChanged = False

    def _follow(self) -> None:
        node = self._session.segmentationNode
        if node is self._node:
            return
        self._forget()
        if node is not None:
            self._node, self._snapshot = node, SegmentSnapshot(node)
            events = slicer.vtkSegmentation
            for event in (events.RepresentationModified, events.SourceRepresentationModified):
                self._observers.add(node, event, self._onVoxels)
            for event in (events.SegmentAdded, events.SegmentRemoved):
                self._observers.add(node, event, self._onVoxels)

    def _onVoxels(self, *_) -> None:
        self._isChanged = True

    def _onOwn(self, change: Change) -> None:
        if self._snapshot is not None:
            self._snapshot.follow(change.edits)

    def _update(self) -> None:
        if not self._isChanged or self._session.editor.isWriting:
            return
        self._isChanged = False
        edits = self._snapshot.difference()
        plane = self._shownPlane()
        if edits and plane is not None:
            ids = [edit.segmentId for edit in edits]
            segmentId = self._session.segmentId if self._session.segmentId in ids else ids[0]
            self._session.editor.adopt(Target(segmentId, plane), _LABEL, Change(segmentId, None, edits))
            self.edited.emit(ids)
        else:
            self._snapshot.follow(edits)

    def _shownPlane(self) -> Optional[SlicePlane]:
        """Return the slice that undo will name as changed; an edit may reach further."""
        try:
            return self._session.plane or planeFromAxis(self._session.workspace.requireVolume(), "K")
        except UserError:
            return None


def useMaskAsPrompt(session: SegmentationSession, segmentId: str, plane: Optional[SlicePlane] = None) -> None:
    """Let the network start from what a segment holds on a slice: painted, imported, or made by other means.

    The mask stays as it is.  Prompts that follow correct it, and the network may change all of it; without
    this, what was painted or imported may only grow until a negative click says otherwise.

    :param plane: by default the slice that is shown.
    :raises PromptError: the segment is empty there, or there is no slice.
    :raises InputError: a node or the segment is gone.
    """
    session.selectSegment(segmentId)
    plane = plane or session.plane
    if plane is None:
        raise PromptError("There is no slice to work on: show a slice of the volume first.")
    target = Target(segmentId, plane)
    if not session.workspace.readMask(target).any():
        raise PromptError("The segment is empty on this slice: there is no mask to start from.")
    session.editor.giveToNetwork(target)
