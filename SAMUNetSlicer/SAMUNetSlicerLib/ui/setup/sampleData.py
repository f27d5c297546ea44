"""Offer the volume for the first try: part of the installed extension, so that it needs no network.

Source and license: Resources/SampleData/README.md of the sources.
"""

from pathlib import Path

import slicer
from slicer.i18n import tr as _

from ...errors import InputError

_RESOURCES = Path(__file__).resolve().parents[3] / "Resources"
_FILE = _RESOURCES / "SampleData" / "AbdominalCT.nrrd"
_SHA256 = "d5687f22418dc054f44c30679ec0186da328f76de35684f32de0af569fcc4a1d"
_CATEGORY = "SAM-UNet"
_SAMPLE = "SAMUNetAbdominalCT"
_NAME = "AbdominalCT"
_WIDTH, _LEVEL = 350, 40  # HU, the usual window of the abdomen


def registerSampleData() -> None:
    """Offer the volume in Slicer's Sample Data module.

    Wiring: when Slicer has started, ``slicer.app.connect("startupCompleted()", ...)``; again does no harm.
    """
    from SampleData import SampleDataLogic

    if hasattr(SampleDataLogic, "registerCustomSampleDataCategory"):  # Slicer 5.12 and later
        SampleDataLogic.registerCustomSampleDataCategory(_CATEGORY, _("SAM-UNet"))
    SampleDataLogic.registerCustomSampleDataSource(
        category=_CATEGORY,
        sampleName=_SAMPLE,
        thumbnailFileName=str(_RESOURCES / "Icons" / f"{_SAMPLE}.png"),
        uris=_FILE.as_uri(),
        fileNames=f"{_SAMPLE}.nrrd",
        nodeNames=_NAME,
        checksums=f"SHA256:{_SHA256}",
    )


def loadSample():
    """Load the volume, show it in the window of the abdomen, and return it.

    Wiring: the button for the first try; then choose the volume, take the tool for points and show
    ``sampleHint()``.

    :raises InputError: the file is missing or cannot be read.
    """
    try:
        volumeNode = slicer.util.loadVolume(str(_FILE), {"name": _NAME})
    except RuntimeError as error:
        raise InputError(
            _("The sample volume cannot be loaded: install the extension again ({file}).").format(file=_FILE)
        ) from error
    displayNode = volumeNode.GetDisplayNode()
    displayNode.AutoWindowLevelOff()
    displayNode.SetWindowLevel(_WIDTH, _LEVEL)
    slicer.util.setSliceViewerLayers(background=volumeNode, fit=True)
    return volumeNode


def sampleHint() -> str:
    """Return what to do with the sample, for somebody who has never used the module."""
    return _(
        "Click into the liver, the large organ on the left of the red view. For another organ press Next "
        "and click again, for example into the spleen on the right."
    )
