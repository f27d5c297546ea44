"""Save segments, prompts and provenance of a session in one file, and read it in another process.

A copy is taken where the scene is used; compressing and writing it, which take longer, may then be done on
another thread.  A .seg.nrrd would be written by VTK, which lets no other thread run meanwhile.
"""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import get_vtk_array_type

from ...app.common import utcNow
from ...app.session import TAG, UNREADABLE_TAG, SegmentationSession
from ...atomicFiles import replaceFile
from ...errors import InputError
from ...scene.geometry import SlicePlane
from ...scene.prompts import PromptRecord, PromptStore
from ...scene.segments import LOCKED_TAG, LabelmapLayer, segmentTag, sharedLayers

_FORMAT, _VERSION = "SAMUNetSlicer work", 1
_DOCUMENT = "document"


@dataclass(frozen=True, eq=False)
class Work:
    """Saved work of a session.

    ``document``: JSON data, see ``takeWork``; ``layers``: label values (k, j, i) of each layer.
    """

    document: Dict[str, Any]
    layers: List[np.ndarray]

    @property
    def isEmpty(self) -> bool:
        return not self.document["segments"]

    @property
    def summary(self) -> str:
        """Say what is in it and when it was saved, for the user."""
        segments, prompts = len(self.document["segments"]), len(self.document["prompts"])
        saved = self.document["saved"][:16].replace("T", " ")
        return f"{segments} segment(s), {prompts} prompt(s), saved {saved} UTC"


def takeWork(session: SegmentationSession, volumeFile: str) -> Work:
    """Copy what the user has done; quick, on the thread of the scene."""
    node = session.segmentationNode
    document = {"format": _FORMAT, "version": _VERSION, "saved": utcNow(), "volumeFile": volumeFile}
    if node is None:
        return Work({**document, "segments": [], "prompts": [], "layers": [], "segmentId": None}, [])
    layers = list(sharedLayers(node))
    numbers = {segmentId: at for at, shared in enumerate(layers) for segmentId in shared.segments.values()}
    ids = node.GetSegmentation().GetSegmentIDs()
    prompts = [each for segmentId in ids for each in session.workspace.prompts.prompts(segmentId)]
    document.update(
        name=node.GetName(),
        segments=[_segmentValues(node, segmentId, numbers[segmentId]) for segmentId in ids],
        layers=[_layerValues(shared.layer) for shared in layers],
        prompts=[_promptValues(each) for each in prompts],
        segmentId=session.segmentId,
    )
    return Work(document, [shared.layer.block().copy() for shared in layers])


def writeWork(work: Work, path: Path) -> None:
    """Replace a file by this work: after a crash it is the old one or the new one, never half of it.

    :raises OSError: it cannot be written; an existing file is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {f"layer{at}": layer for at, layer in enumerate(work.layers)}
    text = np.frombuffer(json.dumps(work.document).encode(), np.uint8)

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:
            np.savez_compressed(file, **{_DOCUMENT: text}, **arrays)

    replaceFile(path, write)


def readWork(path: Path) -> Work:
    """Read saved work.

    :raises InputError: the file is damaged, or of a later version.
    """
    try:
        # numpy would leave a damaged file open that it opens itself.
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            document = json.loads(file[_DOCUMENT].tobytes())
            layers = [file[f"layer{at}"] for at in range(len(file.files) - 1)]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"The saved work in '{path}' is damaged: it cannot be taken up again.") from error
    if document.get("format") != _FORMAT or document.get("version") != _VERSION:
        raise InputError(f"The saved work in '{path}' is of another version: open it with that version.")
    return Work(document, layers)


def restoreWork(work: Work, session: SegmentationSession) -> None:
    """Put saved work into the session's scene, as it was; nothing is predicted."""
    node = session.workspace.addSegmentation()
    node.SetName(work.document["name"])
    images = [_image(values, block) for values, block in zip(work.document["layers"], work.layers)]
    for values in work.document["segments"]:
        node.GetSegmentation().AddSegment(_segment(values, images[values["layer"]]), values["id"])
    records = [_record(values) for values in work.document["prompts"]]
    store = PromptStore(session.workspace.scene, node)
    for values in work.document["segments"]:
        store.restore(values["id"], [each for each in records if each.segmentId == values["id"]])
    store.close()
    session.setSegmentation(node)
    session.selectSegment(work.document["segmentId"])


def _tagNames() -> List[str]:
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    terminology = slicer.vtkSegment.GetTerminologyEntryTagName()
    return [TAG, UNREADABLE_TAG, LOCKED_TAG, terminology, logic.GetStatusTagName()]


def _segmentValues(node, segmentId: str, layer: int) -> Dict[str, Any]:
    segment = node.GetSegmentation().GetSegment(segmentId)
    tags = {name: segmentTag(node, segmentId, name) for name in _tagNames()}
    return {
        "id": segmentId,
        "name": segment.GetName(),
        "color": list(segment.GetColor()),
        "label": segment.GetLabelValue(),
        "layer": layer,
        "tags": {name: text for name, text in tags.items() if text is not None},
    }


def _segment(values: Dict[str, Any], image):
    segment = slicer.vtkSegment()
    segment.SetName(values["name"])
    segment.SetColor(*values["color"])
    segment.SetLabelValue(values["label"])
    for name, text in values["tags"].items():
        segment.SetTag(name, text)
    name = slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName()
    segment.AddRepresentation(name, image)
    return segment


def _layerValues(layer: LabelmapLayer) -> Dict[str, Any]:
    lattice = None if layer.ijkToLocal is None else layer.ijkToLocal.tolist()
    return {"extent": layer.extent, "ijkToLocal": lattice}


def _image(values: Dict[str, Any], block: np.ndarray):
    image = slicer.vtkOrientedImageData()
    if values["ijkToLocal"] is not None:
        matrix = vtk.vtkMatrix4x4()
        matrix.DeepCopy(np.ravel(values["ijkToLocal"]).tolist())
        image.SetImageToWorldMatrix(matrix)
    if values["extent"] is not None:
        image.SetExtent(values["extent"])
        image.AllocateScalars(get_vtk_array_type(block.dtype), 1)
        LabelmapLayer(image).block()[...] = block
    return image


def _promptValues(record: PromptRecord) -> Dict[str, Any]:
    return {
        "id": record.id,
        "kind": record.kind,
        "ras": record.ras,
        "plane": record.plane.toDict(),
        "order": record.order,
        "segmentId": record.segmentId,
    }


def _record(values: Dict[str, Any]) -> PromptRecord:
    ras = tuple(map(tuple, values["ras"]))
    plane = SlicePlane.fromDict(values["plane"])
    return PromptRecord(values["id"], values["kind"], ras, plane, values["order"], values["segmentId"])
