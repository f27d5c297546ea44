"""What masks do to other segments, and how intensities become gray levels."""

from slicer.i18n import tr as _

from ..app.session import FOLLOW_DISPLAY, SegmentationSession
from ..engine.windowing import CT_PRESETS, WindowSetting
from .choiceBox import ChoiceBox


class ChoicesSection:
    """Two boxes.  ``policy.key`` and ``window.key`` are what a scene keeps."""

    def __init__(self, ui, session: SegmentationSession):
        self._session = session
        self.policy = ChoiceBox(ui.policyCombo, policyChoices(), session.setPolicy)
        self.window = ChoiceBox(ui.windowCombo, windowChoices(), self._onWindow)
        session.setPolicy(self.policy.key)
        self._onWindow(self.window.key)

    def _onWindow(self, key: str) -> None:
        self._session.setWindow(key if key == FOLLOW_DISPLAY else WindowSetting(key))


def policyChoices():
    return [
        ("protectAll", _("stay as they are")),
        ("protectLocked", _("give way unless locked")),
        ("allowOverlap", _("may overlap")),
    ]


def windowChoices():
    presets = [(f"preset:{name}", _("CT {name}").format(name=name)) for name in sorted(CT_PRESETS)]
    return [
        (FOLLOW_DISPLAY, _("as displayed")),
        ("slice", _("range of the slice")),
        ("percentile", _("range without outliers")),
        *presets,
    ]
