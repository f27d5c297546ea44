"""Outputs of the reference implementation of SAM-UNet, and the weights they were made with.

No weights of SAM-UNet are public, so these are computed from nothing but names and shapes of the tensors:
``Testing/Data/golden`` holds what the reference gave for them, for one generated image (300 x 210) and 11
sets of prompts.  Regenerating needs the reference implementation at the commit that index.json names.
"""

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from SAMUNetSlicerLib.engine.networks import RES34, RES50, SAMUNet

FOLDER = Path(__file__).resolve().parent.parent / "Data" / "golden"
CONFIGS = {"res34": RES34, "res50": RES50}
KINDS = tuple(CONFIGS)

# Of an fp32 implementation: the reference differs from itself by a tenth of this between thread counts.
EMBEDDING_TOLERANCE, LOGITS_TOLERANCE, FLIPPED_PIXELS = 5e-5, 5e-4, 5

_UNIFORM_GAIN = {  # by the last part of the name: (offset, factor) of a uniform variable of variance 1
    "bias": (0.0, 0.05),
    "running_mean": (0.0, 0.1),
    "positional_encoding_gaussian_matrix": (0.0, 1.0),
    "pos_embed": (0.0, 0.3),
    "rel_pos_h": (0.0, 0.2),
    "rel_pos_w": (0.0, 0.2),
}


def index() -> dict:
    """Cases, names and shapes of the tensors, digests."""
    return json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))


def image() -> np.ndarray:
    """(300, 210, 3) uint8 RGB."""
    return np.asarray(Image.open(FOLDER / "synthetic.png").convert("RGB"))


def arrays(kind: str) -> dict:
    """The reference's outputs, by ``case/name``; those of the encoder by name alone."""
    with np.load(FOLDER / f"{kind}_synthetic.npz") as file:
        return {name.split("/", 1)[1]: file[name] for name in file.files}


def filled_weights(shapes: dict) -> dict:
    """Weights for tensors of these names and shapes, the same on every machine."""
    return {name: torch.from_numpy(_filled(name, tuple(shape))) for name, shape in shapes.items()}


def filled_network(kind: str) -> SAMUNet:
    """The network with the golden weights, ready for inference."""
    with torch.device("meta"):
        network = SAMUNet(CONFIGS[kind])
    network.load_state_dict(filled_weights(index()["models"][kind]["keys"]), strict=True, assign=True)
    return network.eval().requires_grad_(False)


def digest(weights: dict) -> str:
    """SHA-256 of names, types, shapes and values, sorted by name."""
    total = hashlib.sha256()
    for name in sorted(weights):
        values = np.ascontiguousarray(weights[name].numpy())
        total.update(name.encode() + str(values.dtype).encode() + repr(tuple(values.shape)).encode())
        total.update(values.tobytes())
    return total.hexdigest()


def reference_mask(outputs: dict, case: str, shape) -> np.ndarray:
    """bool, ``shape``."""
    count = math.prod(shape)
    return np.unpackbits(outputs[f"{case}/mask_bits"])[:count].reshape(shape).astype(bool)


def _filled(name, shape):
    kind = name.rsplit(".", 1)[-1]
    if kind == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    uniform = _uniform(name, shape)
    if kind == "running_var":
        return (1 + 0.2 * np.abs(uniform)).astype(np.float32)
    offset, factor = _UNIFORM_GAIN[kind] if kind in _UNIFORM_GAIN else _weight_gain(shape)
    return (offset + factor * uniform).astype(np.float32)


def _weight_gain(shape):
    if len(shape) == 1:  # of a normalization
        return 1.0, 0.1
    if len(shape) == 2 and shape[0] == 1:  # of an embedding
        return 0.0, 1.0
    return 0.0, 1 / math.sqrt(math.prod(shape[1:]))


def _uniform(name, shape):
    """Exact in float64, from the bit stream of PCG64, which numpy promises never to change."""
    seed = int.from_bytes(hashlib.sha256(b"samunet-golden-1|" + name.encode()).digest()[:8], "little")
    bits = np.random.PCG64(seed).random_raw(math.prod(shape)) >> np.uint64(11)
    return ((bits.astype(np.float64) / 2**53 - 0.5) * math.sqrt(12.0)).reshape(shape)
