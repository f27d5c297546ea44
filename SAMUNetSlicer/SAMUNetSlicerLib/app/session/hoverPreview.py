"""Outline what a click would segment while the mouse moves; the mask is never written."""

import time
from dataclasses import replace
from typing import NamedTuple, Optional, Tuple

import numpy as np

from ...engine.types import Prompts
from ...errors import UserError
from ...scene.geometry import SlicePlane
from ...scene.views import ViewOutline, maskLoops
from ..engines import Ticket
from .session import SegmentationSession
from .sliceRequest import prepareRequest
from .workspace import Target

# Seconds from one question to the next: a mouse moves faster than anybody looks.
_INTERVAL = 0.08


class Place(NamedTuple):
    """Place of the mouse: slice, (R, A, S) in mm, what a click would mean, and where to draw."""

    plane: SlicePlane
    ras: Tuple[float, float, float]
    isPositive: bool
    outline: ViewOutline


class HoverPreview:
    """Asks the decoder about the point under the mouse, on slices that are encoded already, one at a time.

    ``isEnabled``: None, the default, means only where the model runs on a GPU.  The chosen segment is
    neither read twice nor written; a click, or leaving the view, takes the outline away.
    """

    def __init__(self, session: SegmentationSession, clock=time.monotonic):
        self.isEnabled: Optional[bool] = None
        self._session = session
        self._clock = clock
        self._place: Optional[Place] = None
        self._outline: Optional[ViewOutline] = None
        self._ticket: Optional[Ticket] = None
        self._nextAt = 0.0
        session.polled.connect(self._ask)

    @property
    def isActive(self) -> bool:
        """Tell whether outlines are shown now."""
        status = self._session.engine.status
        if status is None or not status.capabilities.points:
            return False
        return status.device.startswith("cuda") if self.isEnabled is None else self.isEnabled

    def hover(self, place: Optional[Place]) -> None:
        """Note where the mouse is; None: nowhere, or a button is down."""
        self._place = place if self.isActive else None
        if self._place is None:
            self._hide()
        elif place.outline is not self._outline:
            self._clear()

    def close(self) -> None:
        """Remove the outline and stop; may be called twice."""
        self._session.polled.disconnect(self._ask)
        self._hide()

    def _ask(self) -> None:
        place, session = self._place, self._session
        if place is None or self._ticket is not None or session.isBusy or self._clock() < self._nextAt:
            return
        self._nextAt = self._clock() + _INTERVAL
        try:
            if session.isReady(place.plane):
                self._place = None
                self._submit(place, *self._question(place))
        except UserError:
            self._hide()  # a click will say what is wrong

    def _question(self, place: Place) -> Tuple[np.ndarray, Prompts]:
        """Return the image, and the slice's prompts with one more at the mouse."""
        workspace, plane = self._session.workspace, place.plane
        prompts = Prompts()
        if workspace.hasSegment(self._session.segmentId):
            request = prepareRequest(workspace, Target(self._session.segmentId, plane))
            image, prompts = request.image, request.prompts
        else:
            image = workspace.images.image(workspace.requireVolume(), plane, workspace.window())
        point = plane.rasToPixel([place.ras])[0].astype(np.float32)
        return image, replace(
            prompts,
            points=np.concatenate([prompts.points, point]),
            labels=np.append(prompts.labels, int(place.isPositive)),
        )

    def _submit(self, place: Place, image: np.ndarray, prompts: Prompts) -> None:
        engine, plane = self._session.engine, place.plane
        self._ticket = engine.predict(image, prompts, plane.spacing)
        self._ticket.whenDone(lambda ticket: self._onAnswer(place, ticket))

    def _onAnswer(self, place: Place, ticket: Ticket) -> None:
        if ticket is not self._ticket:
            return
        self._ticket = None
        if ticket.error is None:
            self._outline = place.outline
            mask = ticket.result.prediction.mask
            color = self._session.workspace.segmentColor(self._session.segmentId)
            place.outline.show(maskLoops(mask, place.plane), color)

    def _hide(self) -> None:
        self._place = None
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            self._session.engine.cancel(ticket)
        self._clear()

    def _clear(self) -> None:
        if self._outline is not None:
            self._outline.clear()
            self._outline = None
