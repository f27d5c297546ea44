"""Have the engine learn what a segment looks like from the slices that the user has prompted or painted."""

from typing import Dict, Iterator, List, Optional

import numpy as np

from ...engine.learning import Appearance, Example, Window, finite_values, in_window, window_of
from ...scene.geometry import SlicePlane, sliceValues
from ..engines import EngineClient
from ..session import Workspace
from .keySlices import KeySlice

# More examples take longer and add little: those that lie farthest apart are taken.
_MOST_EXAMPLES = 8


class SegmentLearner:
    """Learns from key slices; masks that a propagation has made are never taken for the truth.

    ``appearance``: None until `learn` has ended, and without a key that shows the structure; ``window``: of
    the volume's intensities, the same for all slices, None until `learn`.

    :param isOn: False gives the window alone.
    """

    def __init__(self, workspace: Workspace, engine: EngineClient, isOn: bool):
        self.appearance: Optional[Appearance] = None
        self.window: Optional[Window] = None
        self._workspace = workspace
        self._engine = engine
        self._isOn = isOn

    def learn(self, keys: Dict[int, KeySlice]) -> Iterator[bool]:
        """Look at the keys, and let the engine learn from them; yields True while only the engine can go on.

        :raises UserError: the volume cannot be used any more, or the engine failed.
        """
        chosen = _apart([key for _, key in sorted(keys.items()) if key.mask.any()])
        if not chosen:
            return
        inside = []
        for key in chosen:
            inside.append(finite_values(self.values(key.plane)[key.mask]))
            yield False
        self.window = window_of(inside)
        if not self._isOn:
            return
        examples = [(Example(self.values(key.plane), key.mask), key.plane.spacing) for key in chosen]
        ticket = self._engine.learn(examples)
        while not ticket.isDone:
            yield True
        self.appearance = ticket.value().appearance

    def values(self, plane: SlicePlane) -> np.ndarray:
        """Return (H, W) float32: see `sliceValues`."""
        return sliceValues(self._workspace.requireVolume(), plane)

    def grays(self, plane: SlicePlane) -> np.ndarray:
        """Return (H, W) float32: intensities of which 0 to 255 lie in the window, on every slice the same
        ones.
        """
        return in_window(self.values(plane), self.window) * 255


def _apart(keys: List[KeySlice]) -> List[KeySlice]:
    if len(keys) <= _MOST_EXAMPLES:
        return keys
    return [keys[n] for n in np.linspace(0, len(keys) - 1, _MOST_EXAMPLES).round().astype(int)]
