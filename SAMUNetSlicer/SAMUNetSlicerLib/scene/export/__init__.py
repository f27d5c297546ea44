"""Write segments as files of other programs, and verify each file by reading it back."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "exportCheck": ("LPS_TO_RAS", "quiet"),
        "exportFiles": ("EXISTING", "renameIfFree", "splitEnding", "writeChecked"),
        "labelTable": ("exportLabelTable",),
        "measurementTable": ("requirePyarrow",),
        "segmentationExport": (
            "ExportedFile",
            "exportLabelmap",
            "exportMeasurements",
            "exportSegNrrd",
            "segmentsToExport",
        ),
        "surfaceExport": ("closedSurfaces", "exportSurface"),
    },
)
