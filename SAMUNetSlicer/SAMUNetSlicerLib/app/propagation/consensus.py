"""Segment along two or three axes, and keep what they agree on.

One axis is followed from slice to slice.  Every slice of the other axes that cuts the result is prompted with
the cut, so that no error is carried on there; then each voxel is put to the vote.  Measured in
Testing/benchmarks/bench_propagation_quality.py.
"""

from typing import Callable, Dict, Iterator, List, Sequence, Tuple

import numpy as np

from ...engine.types import Prediction
from ...errors import InputError
from ...scene.geometry import PlaneStack, SlicePlane, alignedPixels, dimensions, ijkToRAS, planeFromAxis
from ..engines import EngineClient
from ..session import PredictedSlice, SliceRecord, Target, Workspace
from .follow import AnyRoute, SliceFollower
from .keySlices import KeySlice
from .learner import SegmentLearner
from .options import PropagatedSlice, PropagationOptions, Stop
from .routes import CutRoute

# Between two axes that disagree, the slice of the higher confidence decides; it never outweighs a third one.
_WEIGHT_OF_CONFIDENCE = 0.25

# Logits beyond this count as sure: one very sure axis must not outweigh two others.
_SURE = 4.0


class ConsensusVote:
    """Segments along one stack, then across it, and fuses; see `SliceFollower` for the rest.

    ``made``, ``slices``: of the first stack alone until all axes are done, then fused.  ``confidence`` of a
    fused slice: how strongly its voxels are held, 1 where all axes are sure of all of them.

    :param keys: tells the slices that are not to be voted on, by step.
    :param learner: see `SliceWalk`.
    :raises InputError: the stack or one of ``options.axes`` does not follow the volume's own axes.
    """

    def __init__(
        self,
        workspace: Workspace,
        engine: EngineClient,
        segmentId: str,
        stack: PlaneStack,
        options: PropagationOptions,
        keys: Callable[[], Dict[int, KeySlice]],
        learner: SegmentLearner,
    ):
        volumeNode = workspace.requireVolume()
        self._workspace, self._segmentId, self._stack, self._keys = workspace, segmentId, stack, keys
        self._vote = {"majority": _majority, "mean": _mean}[options.fusion]
        self._fusion, self._toRAS = options.fusion, ijkToRAS(volumeNode)
        # Voxels (K, J, I).  A slice adds up to 2 where its axis is for a voxel and 0 where it is against:
        # whatever an axis has not segmented, it is taken to be against.
        self._votes = np.zeros(dimensions(volumeNode)[::-1], np.float16)
        self._stacks = [stack, *_crossingStacks(stack, options.axes, volumeNode)]
        given = workspace, engine, segmentId
        self._walks = [SliceFollower(*given, each, options, self._count, learner) for each in self._stacks]
        self._crossings = self._stacks[1:]
        self.made: Dict[int, PredictedSlice] = self._walks[0].made
        self.slices: Dict[int, PropagatedSlice] = self._walks[0].slices

    @property
    def stops(self) -> List[Stop]:
        return self._walks[0].stops

    @property
    def engineMs(self) -> float:
        return sum(walk.engineMs for walk in self._walks)

    @property
    def done(self) -> int:
        return sum(walk.done for walk in self._walks)

    @property
    def total(self) -> int:
        """Return the number of slices at most; axes that are still to come count with all of theirs."""
        begun = self._walks[: len(self._walks) - len(self._crossings)]
        return sum(walk.total for walk in begun) + sum(_length(stack) for stack in self._crossings)

    def run(self, routes: Sequence[AnyRoute]) -> Iterator[bool]:
        """See `SliceFollower.run`."""
        first, *others = self._walks
        yield from first.run(routes)
        if not self.made:
            return
        shape = np.zeros(self._votes.shape, bool)
        yield from self._draw(shape)
        for walk, stack in zip(others, self._stacks[1:]):
            steps: List[int] = []
            yield from self._findCuts(shape, stack, steps)
            self._crossings = self._crossings[1:]
            yield from walk.run([CutRoute(lambda plane: self._pixels(shape, plane), steps)])
        yield from self._fuse()

    def cancel(self) -> None:
        for walk in self._walks:
            walk.cancel()

    def _draw(self, shape: np.ndarray) -> Iterator[bool]:
        """Put into voxels (K, J, I) bool what the first axis and its keys hold."""
        made = [(each.target.plane, each.mask) for each in self.made.values()]
        for plane, mask in (*made, *((key.plane, key.mask) for key in self._keys().values())):
            self._pixels(shape, plane)[...] = mask
            yield False

    def _findCuts(self, shape: np.ndarray, stack: PlaneStack, steps: List[int]) -> Iterator[bool]:
        for step in range(stack.first, stack.last + 1):
            if self._pixels(shape, stack.plane(step)).any():
                steps.append(step)
            yield False

    def _pixels(self, voxels: np.ndarray, plane: SlicePlane) -> np.ndarray:
        """Return the part of an array (K, J, I) that a slice shows, as a view of it: (H, W)."""

        def block(low, size):
            return voxels[tuple(slice(start, start + n) for start, n in zip(low[::-1], size[::-1]))]

        return alignedPixels(plane, self._toRAS, block)

    def _count(self, made: PredictedSlice, prediction: Prediction) -> None:
        plane = made.target.plane
        self._pixels(self._votes, plane)[...] += 1 + self._vote(made.mask, prediction, plane)

    def _fuse(self) -> Iterator[bool]:
        fused = {}
        for step in range(min(self.made), max(self.made) + 1):
            if step not in self._keys():
                fused[step] = self._fusedSlice(step)
                yield False
        self.made = {step: made for step, (made, _) in fused.items() if made.mask.any()}
        self.slices = {step: fused[step][1] for step in self.made}

    def _fusedSlice(self, step: int) -> Tuple[PredictedSlice, PropagatedSlice]:
        plane = self._stack.plane(step)
        strength = self._pixels(self._votes, plane).astype(np.float32) / len(self._walks) - 1
        mask = strength > 0
        confidence = float(strength[mask].clip(max=1).mean()) if mask.any() else 0.0
        axes = [stack.reference.axis for stack in self._stacks]
        draft = SliceRecord(
            plane=plane.toDict(),
            confidence=confidence,
            policy=self._workspace.policy,
            origin={"method": "consensus", "axes": axes, "fusion": self._fusion},
        )
        made = PredictedSlice(Target(self._segmentId, plane), mask, None, draft)
        return made, PropagatedSlice(plane, confidence)


def _majority(mask: np.ndarray, prediction: Prediction, plane: SlicePlane) -> np.ndarray:
    weight = 1 + _WEIGHT_OF_CONFIDENCE * float(prediction.confidence)
    return np.where(mask, weight, -weight)


def _mean(mask: np.ndarray, prediction: Prediction, plane: SlicePlane) -> np.ndarray:
    """Return the mean in [-1, 1]; where an island was taken away from the mask, the logits still speak for
    it.
    """
    logits = prediction.logits
    return np.where(mask, logits, np.minimum(logits, 0)).clip(-_SURE, _SURE) / _SURE


def _crossingStacks(stack: PlaneStack, axes: Sequence[str], volumeNode) -> List[PlaneStack]:
    planes = [stack.reference, *(planeFromAxis(volumeNode, axis) for axis in axes)]
    if any(plane.axis is None for plane in planes):
        raise InputError(
            "Several axes are fused voxel by voxel, which an oblique slice does not allow: prompt a slice "
            "along an axis of the volume, or use one axis only."
        )
    byAxis = {plane.axis: plane for plane in planes if plane.axis != stack.reference.axis}
    return [PlaneStack(plane, volumeNode) for plane in byAxis.values()]


def _length(stack: PlaneStack) -> int:
    return stack.last - stack.first + 1
