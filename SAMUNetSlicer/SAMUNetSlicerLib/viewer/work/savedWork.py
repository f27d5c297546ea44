"""Save segments, prompts and provenance of a session in one file, and read it in another process.

A copy is taken where the scene is used; compressing and writing it, which take longer, may then be done on
another thread.  A .seg.nrrd would be written by VTK, which lets no other thread run meanwhile.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import get_vtk_array_type

from ...app.common import utcNow
from ...app.session import TAG, UNREADABLE_TAG, SegmentationSession
from ...atomicFiles import replaceFile
from ...engine.json_schema import problems
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
            document = json.loads(file[_DOCUMENT].tobytes(), parse_constant=_refuseConstant)
            if (document["format"], document["version"]) != (_FORMAT, _VERSION):
                raise _OtherVersion
            layers = [file[f"layer{at}"] for at in range(len(file.files) - 1)]
        _requireSound(document, layers)
    except _OtherVersion as error:
        raise InputError(
            f"The saved work in '{path}' is of another version: open it with that version."
        ) from error
    except Exception as error:  # arbitrary bytes make readers of archives stumble in any way
        raise InputError(f"The saved work in '{path}' is damaged: it cannot be taken up again.") from error
    return Work(document, layers)


class _OtherVersion(Exception):
    """Raised for the file of another version, which is not damaged."""


def _refuseConstant(name: str):
    raise ValueError(f"{name} is no number")


def _requireSound(document: Dict[str, Any], layers: List[np.ndarray]) -> None:
    """Check everything that ``restoreWork`` relies on, so that it never stops halfway.

    :raises ValueError: it is not as ``takeWork`` makes it.
    """
    for problem in problems(document, _SCHEMA, _SCHEMA, _DOCUMENT):
        raise ValueError(problem)
    ids = [values["id"] for values in document["segments"]]
    owners = {values["segmentId"] for values in document["prompts"]}
    chosen = {document["segmentId"]} - {None}
    if ids and not isinstance(document.get("name"), str):
        raise ValueError("the segmentation has no name")
    isWhole = len(ids) == len(set(ids)) and owners | chosen <= set(ids)
    isWhole = isWhole and all(values["layer"] < len(layers) for values in document["segments"])
    if not isWhole or len(layers) != len(document["layers"]):
        raise ValueError("it refers to segments or layers that are not there")
    for values, block in zip(document["layers"], layers):
        extent = values["extent"]
        size = (0, 0, 0) if extent is None else tuple(extent[at + 1] - extent[at] + 1 for at in (4, 2, 0))
        if block.shape != size or block.dtype.kind not in "iu" or block.dtype.hasobject:
            raise ValueError("the voxels of a layer are not those of its extent")
    for values in document["prompts"]:
        if len(_record(values).ras) != (2 if values["kind"] == "box" else 1):
            raise ValueError("a prompt has too few or too many points")


def _list(item: Dict[str, Any], count: Optional[int] = None) -> Dict[str, Any]:
    size = {} if count is None else {"minItems": count, "maxItems": count}
    return {"type": "array", "items": item, **size}


def _object(**properties) -> Dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


_TEXT, _NUMBER, _INDEX = {"type": "string"}, {"type": "number"}, {"type": "integer", "minimum": 0}
_SCHEMA = _object(
    saved=_TEXT,
    volumeFile=_TEXT,
    segmentId={"type": ["string", "null"]},
    segments=_list(
        _object(
            id={"type": "string", "minLength": 1},
            name=_TEXT,
            color=_list(_NUMBER, 3),
            label={"type": "integer"},
            layer=_INDEX,
            tags={"type": "object", "additionalProperties": _TEXT},
        )
    ),
    layers=_list(
        _object(
            extent={"oneOf": [{"type": "null"}, _list({"type": "integer"}, 6)]},
            ijkToLocal={"oneOf": [{"type": "null"}, _list(_list(_NUMBER, 4), 4)]},
        )
    ),
    prompts=_list(
        _object(
            id={"type": "string", "minLength": 1},
            kind={"enum": ["positive", "negative", "box"]},
            ras=_list(_list(_NUMBER, 3)),
            plane={"type": "object"},
            order={"type": "integer"},
            segmentId=_TEXT,
        )
    ),
)


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
