"""Load image files and DICOM folders as volume nodes, in exactly the place that their headers say."""

import os
from pathlib import Path
from typing import List, Optional

import numpy as np
import vtk
from vtk.util.numpy_support import get_vtk_array_type, vtk_to_numpy

from ...errors import InputError
from ...scene.export import quiet
from ...scene.sceneNodes import nodesOfClass
from .headlessScene import SceneHost
from .imageReading import readHeader, readImage, requireFile
from .quietLibraries import quietLibraries

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def loadVolume(host: SceneHost, path, name: Optional[str] = None, seriesUID: Optional[str] = None):
    """Load a NRRD, NIfTI, MetaImage, DICOM, PNG, JPEG, TIFF or BMP file, or a folder of DICOM files.

    :param name: of the node; by default the file's name without its extension.
    :param seriesUID: which DICOM series of a folder, if it holds several.
    :return: vtkMRMLScalarVolumeNode, or vtkMRMLVectorVolumeNode for a color image, with a display node.
        A picture lies in the axial plane, one pixel per mm unless the file says otherwise.
    :raises InputError: see ``readImage``; the scene is then as it was.
    """
    return addVolume(host, readImage(Path(path), seriesUID), name or baseName(path))


def addVolume(host: SceneHost, image, name: str):
    """Put an image of ``readImage`` into the scene and return its node, see ``loadVolume``."""
    voxels = _vtkImage(image)
    color = voxels.GetNumberOfScalarComponents() > 1
    node = host.scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode" if color else "vtkMRMLScalarVolumeNode")
    node.SetName(name)
    node.SetAndObserveImageData(voxels)
    node.SetIJKToRASMatrix(_ijkToRAS(image))
    node.CreateDefaultDisplayNodes()
    return node


def baseName(path) -> str:
    """Return what to call the volume of a file or folder: its name without the endings."""
    path = Path(os.path.realpath(path))  # which a link to itself does not stop
    name = path.name if os.path.isdir(path) else path.stem
    return name[:-4] if name.lower().endswith(".nii") else name


def _ijkToRAS(image) -> vtk.vtkMatrix4x4:
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    result = vtk.vtkMatrix4x4()
    result.DeepCopy((_LPS_TO_RAS @ matrix).ravel().tolist())
    return result


def _vtkImage(image) -> vtk.vtkImageData:
    """Copy of the voxels; the alpha of a color image is left out."""
    import SimpleITK as sitk

    voxels = sitk.GetArrayViewFromImage(image)
    voxels = voxels[..., :3] if voxels.ndim == 4 else voxels
    result = vtk.vtkImageData()
    result.SetDimensions(image.GetSize())
    result.AllocateScalars(get_vtk_array_type(voxels.dtype), voxels.shape[3] if voxels.ndim == 4 else 1)
    vtk_to_numpy(result.GetPointData().GetScalars()).reshape(voxels.shape)[...] = voxels
    return result


def readSegmentation(host: SceneHost, path: Path):
    """Add the segmentation of a .seg.nrrd file to the scene and return its node.

    :raises InputError: it cannot be read, or is damaged.
    """
    path = Path(path)
    requireFile(path)
    try:
        with quietLibraries():
            readHeader(path)  # Slicer's reader ends the process where ITK does not understand a file
    except InputError as error:
        raise _noSegmentation(path) from error
    storage = host.scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(path))
    node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    with quiet(), quietLibraries():
        isRead = storage.ReadData(node)
    if not isRead:
        raise _noSegmentation(path)
    return node


def _noSegmentation(path: Path) -> InputError:
    return InputError(
        f"'{path}' is not a segmentation, or is damaged: give a .seg.nrrd file that Slicer can load."
    )


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
