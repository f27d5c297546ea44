"""Define what the engine is asked to load, and what it reports about its work.

Everything here is plain data without torch, so that a front end can use it in a process of its own.
"""

from dataclasses import asdict, dataclass, field
from typing import Dict, Optional

from ..learning import Appearance
from ..types import Capabilities, Prediction


@dataclass(frozen=True)
class ModelSpec:
    """Specification of a model: which network to load, where it runs, and how much it may remember.

    ``card``: the model card as JSON data; ``weights``: path of the weights file, "" where the card needs
    none; ``device``: "auto", "cpu", "cuda", "cuda:N"; ``precision``: "auto", "fp32", "bf16", "fp16";
    ``memory_bytes``, ``disk_bytes``: budgets of the embedding cache; ``cache_folder``: None keeps
    embeddings in memory only.
    """

    card: dict
    weights: str = ""
    device: str = "auto"
    precision: str = "auto"
    memory_bytes: int = 512 << 20
    cache_folder: Optional[str] = None
    disk_bytes: int = 4 << 30

    @property
    def model_id(self) -> str:
        return self.card["id"]

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict) -> "ModelSpec":
        return cls(**data)


@dataclass(frozen=True)
class EngineStatus:
    """The loaded model as the status line, provenance and front ends need it.

    ``model_key``: id + weights hash + preprocessing version; ``load_ms`` includes reading the weights;
    ``versions``: {"python": .., "torch": ..} of the process that computes.
    """

    model_id: str
    model_key: str
    device: str
    precision: str
    capabilities: Capabilities
    image_size: int
    load_ms: float
    versions: Dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict) -> "EngineStatus":
        return cls(**{**data, "capabilities": Capabilities(**data["capabilities"])})


@dataclass(frozen=True)
class EncodeReport:
    """Report of encoding one image.

    ``key``: content address of (image, model); ``source``: "memory", "disk" or "encoded"; ``encode_ms``:
    time to have it ready, a batch's time divided by its images.
    """

    key: str
    source: str
    encode_ms: float

    @property
    def was_cached(self) -> bool:
        return self.source != "encoded"


@dataclass(frozen=True, eq=False)
class PredictReport:
    """A prediction and what it cost.

    ``agreement``, ``likeness``: see `learning.fusion.Recognition`; None where nothing was learned.
    """

    prediction: Prediction
    encoding: EncodeReport
    decode_ms: float
    agreement: Optional[float] = None
    likeness: Optional[float] = None


@dataclass(frozen=True, eq=False)
class LearnReport:
    """Report of learning: what was learned, and how long it took."""

    appearance: Appearance
    learn_ms: float
