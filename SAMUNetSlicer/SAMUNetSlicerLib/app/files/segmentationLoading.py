"""Segmentations and markups of files as nodes of a scene."""

from pathlib import Path
from typing import List

from ...errors import InputError
from ...scene.export.exportCheck import quiet
from ...scene.sceneNodes import nodesOfClass
from .headlessScene import SceneHost


def readSegmentation(host: SceneHost, path: Path):
    """Add the segmentation of a .seg.nrrd file to the scene and return its node.

    :raises InputError: it cannot be read.
    """
    if not Path(path).exists():
        raise InputError(f"There is no file '{path}': check its name.")
    storage = host.scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(path))
    node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    with quiet():
        isRead = Path(path).is_file() and storage.ReadData(node)
    if not isRead:
        raise InputError(f"'{path}' is not a segmentation: give a .seg.nrrd file that Slicer can load.")
    return node


def readMarkups(host: SceneHost, path: Path) -> List:
    """Add the markups of a .mrk.json file to the scene, named after the file, and return their nodes.

    :raises InputError: it cannot be read, or holds none.
    """
    before = _markups(host)
    if Path(path).is_file():
        host.logics["Markups"].LoadMarkups(str(path), path.name[: -len(".mrk.json")])
    nodes = [node for node in _markups(host) if node not in before]
    if not nodes:
        raise InputError(f"{path} holds no markups that can be read: save them again with Slicer.")
    return nodes


def _markups(host: SceneHost) -> List:
    return nodesOfClass(host.scene, "vtkMRMLMarkupsNode")
