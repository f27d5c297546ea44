"""A segment looked at along two or three axes, and made of what most of them hold.

One axis is followed from slice to slice.  Every slice of the other axes that cuts the result is prompted with
the cut, so that no error is carried on there; then each voxel is put to the vote.  Measured in
Testing/benchmarks/bench_propagation_quality.py.
"""

from functools import partial
from typing import Callable, Dict, Iterator, List, Sequence, Tuple

import numpy as np

from ..errors import InputError
from ..scene.plane import SlicePlane
from ..scene.planeFactory import planeFromAxis
from ..scene.planeStack import PlaneStack
from ..scene.planeVoxels import alignedPixels
from ..scene.volumeGeometry import dimensions, ijkToRAS
from .engineClient import EngineClient
from .fronts import CutSweep
from .keySlices import KeySlice
from .madeSlices import MadeSlice
from .propagationOptions import PropagatedSlice, PropagationOptions, Stop
from .sliceRecord import SliceRecord
from .sliceWalk import SliceWalk, Way
from .workspace import Target, Workspace

# Between two axes that disagree, the slice of the higher confidence decides; it never outweighs a third one.
_WEIGHT_OF_CONFIDENCE = 0.25


class ConsensusWalk:
    """Segments along one stack, then across it, and fuses; see `SliceWalk` for the rest.

    ``made``, ``slices``: of the first stack alone until all axes are done, then fused.  ``confidence`` of a
    fused slice: the part of its voxels that all axes hold.

    :param keys: tells the slices that are not to be voted on, by step.
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
    ):
        self._workspace, self._segmentId, self._stack, self._keys = workspace, segmentId, stack, keys
        stacks = [stack, *_crossingStacks(stack, options.axes, workspace.requireVolume())]
        self._walks = [SliceWalk(workspace, engine, segmentId, each, options) for each in stacks]
        self._stacks, self._crossings = stacks, stacks[1:]
        self.made: Dict[int, MadeSlice] = self._walks[0].made
        self.slices: Dict[int, PropagatedSlice] = self._walks[0].slices

    @property
    def stops(self) -> List[Stop]:
        return self._walks[0].stops

    @property
    def done(self) -> int:
        return sum(walk.done for walk in self._walks)

    @property
    def total(self) -> int:
        """Axes that are still to come count with all their slices."""
        begun = self._walks[: len(self._walks) - len(self._crossings)]
        return sum(walk.total for walk in begun) + sum(_length(stack) for stack in self._crossings)

    def run(self, ways: Sequence[Way]) -> Iterator[bool]:
        """See `SliceWalk.run`."""
        first, *others = self._walks
        yield from first.run(ways)
        if not self.made:
            return
        shape = self._shape()
        for walk, stack in zip(others, self._stacks[1:]):
            self._crossings = self._crossings[1:]
            cuts = partial(self._pixels, shape)
            steps = range(stack.first, stack.last + 1)
            yield from walk.run([CutSweep(cuts, [step for step in steps if cuts(stack.plane(step)).any()])])
        yield from self._fuse(shape)

    def cancel(self) -> None:
        for walk in self._walks:
            walk.cancel()

    def _shape(self) -> np.ndarray:
        """The voxels (K, J, I) bool that the first axis and its keys hold."""
        shape = np.zeros(dimensions(self._workspace.requireVolume())[::-1], bool)
        made = [(each.target.plane, each.mask) for each in self.made.values()]
        for plane, mask in (*made, *((key.plane, key.mask) for key in self._keys().values())):
            self._pixels(shape, plane)[...] = mask
        return shape

    def _pixels(self, voxels: np.ndarray, plane: SlicePlane) -> np.ndarray:
        """The part of an array (K, J, I) that a slice shows, as a view of it: (H, W)."""

        def block(low, size):
            return voxels[tuple(slice(start, start + n) for start, n in zip(low[::-1], size[::-1]))]

        return alignedPixels(plane, ijkToRAS(self._workspace.requireVolume()), block)

    def _fuse(self, shape: np.ndarray) -> Iterator[bool]:
        # Whatever an axis has not segmented, it is taken to be against.
        votes = np.full(shape.shape, -len(self._walks), np.float32)
        for walk in self._walks:
            for step, made in walk.made.items():
                weight = 1 + _WEIGHT_OF_CONFIDENCE * walk.slices[step].confidence
                self._pixels(votes, made.target.plane)[...] += 1 + np.where(made.mask, weight, -weight)
                yield False
        steps = [step for step in range(min(self.made), max(self.made) + 1) if step not in self._keys()]
        fused = {step: self._fusedSlice(step, votes) for step in steps}
        self.made = {step: made for step, (made, _) in fused.items() if made.mask.any()}
        self.slices = {step: fused[step][1] for step in self.made}

    def _fusedSlice(self, step: int, votes: np.ndarray) -> Tuple[MadeSlice, PropagatedSlice]:
        plane = self._stack.plane(step)
        pixels = self._pixels(votes, plane)
        mask = pixels > 0
        agreed = np.count_nonzero(pixels >= len(self._walks)) / max(1, np.count_nonzero(mask))
        draft = SliceRecord(
            plane=plane.toDict(),
            confidence=agreed,
            policy=self._workspace.policy,
            origin={"method": "consensus", "axes": [stack.reference.axis for stack in self._stacks]},
        )
        return MadeSlice(Target(self._segmentId, plane), mask, None, draft), PropagatedSlice(plane, agreed)


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
