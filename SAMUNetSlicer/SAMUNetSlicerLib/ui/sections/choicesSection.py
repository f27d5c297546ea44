"""Choose what masks do to other segments, and how intensities become gray levels."""

from slicer.i18n import tr as _

from ...app.session import FOLLOW_DISPLAY, SegmentationSession
from ...app.texts import policyTexts, windowTexts
from ...engine.windowing import WindowSetting
from ..parts import ChoiceBox


class ChoicesSection:
    """Two boxes.  ``policy.key`` and ``window.key`` are what a scene keeps."""

    def __init__(self, ui, session: SegmentationSession):
        self._session = session
        self.policy = ChoiceBox(ui.policyCombo, list(policyTexts(_).items()), session.setPolicy)
        self.window = ChoiceBox(ui.windowCombo, list(windowTexts(_).items()), self._onWindow)
        session.setPolicy(self.policy.key)
        self._onWindow(self.window.key)

    def _onWindow(self, key: str) -> None:
        self._session.setWindow(key if key == FOLLOW_DISPLAY else WindowSetting(key))
