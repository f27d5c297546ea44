"""Keep a 3D surface from being meshed again at every click.

Slicer drops or re-meshes the closed surface whenever the labelmap changes, which takes seconds.  It is taken
away before the first write and made again when the front end has a quiet moment.
"""

import slicer

_REBUILD = "SAMUNet.RebuildClosedSurface"


def suspendClosedSurface(segmentationNode) -> bool:
    """Remove the closed surface and remember on the node that there was one.

    :return: True if there was one.
    """
    if not hasClosedSurface(segmentationNode):
        return False
    segmentationNode.SetAttribute(_REBUILD, "1")
    segmentationNode.RemoveClosedSurfaceRepresentation()
    return True


def restoreClosedSurface(segmentationNode) -> bool:
    """Make the closed surface again if one was removed; takes seconds on large segments.

    :return: True if one was made.
    """
    if not isClosedSurfaceSuspended(segmentationNode):
        return False
    segmentationNode.RemoveAttribute(_REBUILD)
    return bool(segmentationNode.CreateClosedSurfaceRepresentation())


def isClosedSurfaceSuspended(segmentationNode) -> bool:
    """Tell whether ``restoreClosedSurface`` has something to do."""
    return segmentationNode.GetAttribute(_REBUILD) is not None


def hasClosedSurface(segmentationNode) -> bool:
    """Tell whether the segmentation has a surface, shown or not."""
    name = slicer.vtkSegmentationConverter.GetClosedSurfaceRepresentationName()
    return segmentationNode.GetSegmentation().ContainsRepresentation(name)
