"""Place slices in space: planes, stacks of planes, their pixels, the voxels that they cut."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "plane": ("SlicePlane",),
        "planeFactory": (
            "neighborPlane",
            "neighborSteps",
            "planeFromAxis",
            "planeFromNormal",
            "planeFromSliceNode",
        ),
        "planeStack": ("carried", "placed", "PlaneStack", "shift"),
        "planeVoxels": (
            "alignedPixels",
            "boxUnderMask",
            "isAligned",
            "NO_VOXELS",
            "voxelsAtPixels",
            "voxelsUnderMask",
        ),
        "regionBox": ("RegionBox",),
        "sliceImage": (
            "displayWindow",
            "extractSlice",
            "insideVolume",
            "sliceValues",
            "valueRange",
            "valueUnits",
            "volumeSignature",
            "voxelArray",
        ),
        "volumeGeometry": (
            "AXES",
            "dimensions",
            "ijkToRAS",
            "isRightHanded",
            "mapPoints",
            "matrixToArray",
            "ownIJKToRAS",
            "parentToWorld",
            "voxelSpacing",
        ),
    },
)
