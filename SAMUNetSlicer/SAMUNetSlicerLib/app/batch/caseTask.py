"""Describe one case of a batch as plain data: everything that a process on any machine needs to segment
it.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Tuple

from ...engine.serving import ModelSpec
from ..jobs import REVIEW_BELOW, CaseRecord
from ..prompts import SliceChoice
from .casePrompts import CasePrompts
from .cases import BatchCase

_VERSION = 1


@dataclass(frozen=True)
class CaseTask:
    """Task of segmenting one case.

    ``folder``: of the batch's results; ``weightsDigest``: SHA-256 of the weights; ``reviewBelow``: see
    ``reviewReasons``; ``policy``: towards other segments, see `SegmentWriter.writeMask`; ``formats``: keys of
    `exportFormats.FORMATS`, none for the usual ones.
    """

    case: BatchCase
    prompts: CasePrompts
    choice: SliceChoice
    spec: ModelSpec
    folder: str
    weightsDigest: str = ""
    reviewBelow: float = REVIEW_BELOW
    policy: str = "protectAll"
    formats: Tuple[str, ...] = ()

    def key(self) -> str:
        """Digest of everything that the result depends on, but not of the device: see the README."""
        parts = (
            _VERSION,
            self.case.signature(),
            self.prompts.kind,
            self.prompts.digest(),
            self.choice.toDict(),
            (self.spec.model_id, self.weightsDigest, self.spec.precision),
            self.policy,
            self.formats,
        )
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def record(self, **values) -> CaseRecord:
        """Return a record of this case."""
        return CaseRecord(self.case.name, self.case.path, **values)
