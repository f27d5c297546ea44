"""Define the one interface behind which every promptable 2D model stands."""

from abc import ABC, abstractmethod
from typing import List, Optional, Sequence, Tuple

import numpy as np

from ..types import Capabilities, Decoded, Embedding


class PromptableModel(ABC):
    """A network that encodes an image once and decodes masks for prompts many times.

    A model owns its preprocessing (resize, value range, padding) and the mapping of coordinates that
    goes with it; callers speak in pixels of the original 8-bit image only.

    Thread safety: none; one model belongs to one thread.
    """

    model_id: str = ""
    model_key: str = ""  # id + weights hash + preprocessing version: part of every cache key
    capabilities: Capabilities
    image_size: int = 256  # side of the network's square input, pixels
    low_res_size: int = 64  # side L of the decoder's own logits
    mask_threshold: float = 0.0

    @abstractmethod
    def encode(self, images: Sequence[np.ndarray]) -> List[Embedding]:
        """Encode images in one batch.

        :param images: uint8 arrays (H, W) or (H, W, 3) RGB, sizes may differ.
        :return: one embedding per image, on the model's device.
        """

    @abstractmethod
    def decode(
        self,
        embedding: Embedding,
        points: np.ndarray,
        labels: np.ndarray,
        boxes: Optional[np.ndarray] = None,
        mask_logits: Optional[np.ndarray] = None,
    ) -> List[Decoded]:
        """Decode one mask per set of prompts; the raw call, no policy.

        :param points: (n, k, 2) float (x, y) in pixels of the original image; k may be 0.
        :param labels: (n, k) int in {1, 0}.
        :param boxes: (n, 4) half-open boxes, or None.
        :param mask_logits: (n, L, L) low-resolution logits of an earlier call (the model converts them
            to whatever its mask input takes), or None.
        :return: n results; with multimask networks the mask with the highest estimated IoU.
        """

    @abstractmethod
    def to(self, device: str, precision: str) -> "PromptableModel":
        """Move to ``device`` ("cpu", "cuda", "cuda:N") with ``precision`` ("fp32", "bf16", "fp16")."""

    @property
    @abstractmethod
    def placement(self) -> Tuple[str, str]:
        """Return (device, precision) in use, for the status line."""
