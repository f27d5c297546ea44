"""Find out what has to be installed before the engine can run, without importing any of it."""

import importlib.metadata
import importlib.util
import re
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple


@dataclass(frozen=True)
class Requirement:
    """A Python package.

    ``module``: what is imported; ``distribution``: what is installed; ``minimum``: lowest version that
    works; ``license``: SPDX identifier; ``size``: of the download, for the user.
    """

    module: str
    distribution: str
    minimum: str
    license: str
    size: str

    @property
    def specifier(self) -> str:
        """Return the requirement as pip wants it."""
        return f"{self.distribution}>={self.minimum}"


# Older releases lack operators of the default network or do not work with numpy 2; weights that are not
# safetensors need 2.6, see `engine.checkpoint`.
TORCH = Requirement("torch", "torch", "2.3", "BSD-3-Clause", "0.2 GB, with CUDA up to 3.5 GB")
# Slicer itself brings the last three; they are looked at because other extensions may have replaced them.
REQUIREMENTS = (
    TORCH,
    Requirement("segment_anything", "segment-anything", "1.0", "Apache-2.0", "0.1 MB"),
    Requirement("safetensors", "safetensors", "0.4.3", "Apache-2.0", "0.5 MB"),
    Requirement("numpy", "numpy", "1.26", "BSD-3-Clause", "18 MB"),
    Requirement("PIL", "pillow", "10.1", "MIT-CMU", "5 MB"),
    Requirement("requests", "requests", "2.31", "Apache-2.0", "0.1 MB"),
)


@dataclass(frozen=True)
class MissingRequirement:
    """A requirement that is not met; ``found``: the version that is too old, None if there is none."""

    requirement: Requirement
    found: Optional[str] = None


def missingRequirements(requirements: Sequence[Requirement] = REQUIREMENTS) -> List[MissingRequirement]:
    """Return what is missing or too old; quick enough to ask each time a panel is shown."""
    importlib.invalidate_caches()  # pip may have been at work in another process
    return [each for each in map(_missing, requirements) if each is not None]


def _missing(requirement: Requirement) -> Optional[MissingRequirement]:
    if importlib.util.find_spec(requirement.module) is None:
        return MissingRequirement(requirement)
    version = _installedVersion(requirement.distribution)
    # A package without a record of its version was built into Slicer, whose packages are new enough.
    if version is None or _release(version) >= _release(requirement.minimum):
        return None
    return MissingRequirement(requirement, version)


def _installedVersion(distribution: str) -> Optional[str]:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _release(version: str) -> Tuple[int, ...]:
    """Return the leading numbers of a version: (2, 6, 0) of "2.6.0+cu124"."""
    numbers = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, numbers.group().split("."))) if numbers else ()
