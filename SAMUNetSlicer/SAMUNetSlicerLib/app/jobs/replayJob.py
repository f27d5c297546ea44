"""A provenance file and its volume in, the same masks out."""

from pathlib import Path
from typing import Callable, List, Optional

from ...engine.serving.reports import ModelSpec
from ..engines.client import EngineClient
from ..files.headlessScene import startScene
from ..files.loading import loadVolume
from ..files.provenanceFile import readProvenance
from ..files.resultFiles import ResultFiles
from .replay import Progress, Replay, ReplayedSlice


def runReplayJob(
    provenance: Path,
    volume: Path,
    engine: EngineClient,
    specFor: Callable[[dict], ModelSpec],
    progress: Progress,
    files: Optional[ResultFiles] = None,
) -> List[ReplayedSlice]:
    """Make every recorded mask again and compare it with the record.

    :param specFor: see `Replay`.
    :param files: where to write the segmentation that was made, None for nowhere.
    :raises UserError: the provenance or the volume cannot be used, or the weights are others.
    """
    recorded = readProvenance(provenance)
    with startScene() as host:
        volumeNode = loadVolume(host, volume)
        node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", volumeNode.GetName())
        node.CreateDefaultDisplayNodes()
        node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
        replayed = Replay(host.scene, volumeNode, node, engine, specFor).run(recorded, progress)
        if files is not None:
            files.write(node, volumeNode, str(Path(volume).resolve()), {})
    return replayed
