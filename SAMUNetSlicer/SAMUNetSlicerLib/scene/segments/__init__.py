"""Read and write the voxels of segments, never touching those of other segments unless told to."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "closedSurface": (
            "hasClosedSurface",
            "isClosedSurfaceSuspended",
            "restoreClosedSurface",
            "suspendClosedSurface",
        ),
        "contourInterpolation": ("shapesBetween",),
        "labelVolumes": ("labelsOnPlane", "labelVolume", "layerSlices"),
        "labelmapLayer": ("LabelmapLayer",),
        "segmentChange": ("Change",),
        "segmentLayers": ("requireSegment", "sameLattice", "SegmentVoxels", "SharedLayer", "sharedLayers"),
        "segmentMeasurements": ("Measurement", "measureSegments"),
        "segmentShape": ("SegmentShape",),
        "segmentSnapshot": ("SegmentSnapshot",),
        "segmentWriter": ("POLICIES", "SegmentWriter"),
        "segments": (
            "Code",
            "isLocked",
            "LOCKED_TAG",
            "newSegment",
            "segmentTag",
            "setLocked",
            "setStatus",
            "status",
            "Terminology",
            "terminologyOf",
        ),
        "voxelRuns": ("VoxelRuns",),
    },
)
