"""Choose where the network runs and what is cached, and show the self-check page."""

from typing import Callable, Dict

import qt
import slicer
from slicer.i18n import tr as _

from ...app.session import SegmentationSession
from ...events import Signal
from ..parts import ChoiceBox, SliceViews, StatusLine

_SETTINGS = "SAMUNetSlicer/"
_HOVER = {"auto": None, "on": True, "off": False}


class AdvancedSection:
    """Device, precision and cache are about this computer and kept in Slicer's settings, not in the scene.

    ``engineOptionsChanged()``: the network must be loaded again.
    """

    def __init__(self, ui, session: SegmentationSession, status: StatusLine, views: SliceViews):
        self.engineOptionsChanged = Signal("engineOptionsChanged")
        self._ui, self._session, self._status = ui, session, status
        self.device = ChoiceBox(ui.deviceCombo, deviceChoices(), self._keeper("Device"))
        self.precision = ChoiceBox(ui.precisionCombo, precisionChoices(), self._keeper("Precision"))
        self._restore()
        ui.memorySpin.connect("valueChanged(int)", self._keeper("MemoryMegabytes"))
        ui.diskSpin.connect("valueChanged(int)", self._keeper("DiskGigabytes"))
        ui.prefetchCheck.connect("toggled(bool)", views.setPrefetching)
        self.hover = ChoiceBox(ui.hoverCombo, hoverChoices(), lambda key: views.setPreviewing(_HOVER[key]))
        ui.clearCacheButton.connect("clicked()", status.guard(self._clearCache))

    def engineOptions(self) -> Dict:
        """Return fields of `ModelSpec`."""
        return {
            "device": self.device.key,
            "precision": self.precision.key,
            "memory_bytes": self._ui.memorySpin.value << 20,
            "disk_bytes": self._ui.diskSpin.value << 30,
        }

    def _restore(self) -> None:
        self.device.choose(slicer.util.settingsValue(_SETTINGS + "Device", "auto"))
        self.precision.choose(slicer.util.settingsValue(_SETTINGS + "Precision", "auto"))
        self._ui.memorySpin.value = slicer.util.settingsValue(
            _SETTINGS + "MemoryMegabytes", 512, converter=int
        )
        self._ui.diskSpin.value = slicer.util.settingsValue(_SETTINGS + "DiskGigabytes", 4, converter=int)

    def _keeper(self, name: str) -> Callable:
        def keep(value):
            qt.QSettings().setValue(_SETTINGS + name, value)
            self.engineOptionsChanged.emit()

        return keep

    def _clearCache(self) -> None:
        self._session.clearCache().whenDone(self._onCleared)

    def _onCleared(self, ticket) -> None:
        if ticket.error is None:
            self._status.say(_("The encoded slices were deleted."))
        elif not ticket.isCancelled:
            self._status.warn(str(ticket.error))


def hoverChoices():
    return [("auto", _("when fast enough")), ("on", _("always")), ("off", _("never"))]


def deviceChoices():
    return [("auto", _("automatic")), ("cuda", _("graphics card (CUDA)")), ("cpu", _("processor"))]


def precisionChoices():
    return [("auto", _("automatic")), *((name, name) for name in ("fp32", "bf16", "fp16"))]
