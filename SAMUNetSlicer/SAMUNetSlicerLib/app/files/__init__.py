"""Read volumes and segmentations from files, and write results."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "dicomReferences": ("readSourceImages",),
        "dicomSegmentation": ("exportDicomSegmentation",),
        "dicomSeries": ("isDicom", "seriesFiles", "seriesIn"),
        "exportFormats": ("DEFAULT_KEYS", "ExportSource", "FORMATS", "formatsOf"),
        "exportJob": ("ExportOptions", "ExportResult", "exportSegmentation"),
        "headlessScene": ("addSliceNode", "SceneHost", "startScene"),
        "imageReading": ("readImage",),
        "loading": ("addVolume", "baseName", "loadVolume", "readMarkups", "readSegmentation"),
        "provenanceFile": ("readProvenance", "RecordedSegment", "RecordedSegmentation", "writeProvenance"),
        "resultFiles": ("ResultFiles",),
        "selfContained": ("makeSelfContained",),
    },
)
