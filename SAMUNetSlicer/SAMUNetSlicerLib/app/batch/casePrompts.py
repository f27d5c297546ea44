"""Find the prompts of a batch's cases: which of the given sources has something for a case.

A source is a prompts file, a markups file, a table or a label map, for all cases (a table names them), or a
folder with such files for single cases: CASE.json, CASE.mrk.json, CASE_seg.nii.gz, or a folder CASE with one
markups file or one mask for each structure, named after it.  The first source that has something for a case
is the one that counts; sources are never mixed.  In a folder, a case's prompts file comes before its markups,
and these before its label map.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from ...atomicFiles import sha256Of
from ...errors import InputError, PromptError
from ..prompts import PromptRow, readPromptsFile, readTable
from .cases import BatchCase, isImage, stem

PROMPTS, MARKUPS, LABELS, TABLE = "prompts", "markups", "labels", "table"
_LABEL_TAILS = (".seg", "_seg", "-seg", "-label", "_label", "-labels", "_labels", "-segmentation", "")


@dataclass(frozen=True)
class CasePrompts:
    """Prompts of one case as plain data: ``kind``, ``paths``, several only of markups and of masks that are
    named after their structures, and the ``rows`` of a table.
    """

    kind: str
    paths: Tuple[str, ...]
    rows: Tuple[PromptRow, ...] = ()

    def digest(self) -> str:
        """Return a digest that differs when the prompts do."""
        if self.kind == TABLE:
            columns = ("segment", "kind", "space", "orientation")
            content = [(*(getattr(row, name) for name in columns), row.points.tolist()) for row in self.rows]
        else:
            content = [(Path(path).name, sha256Of(Path(path))) for path in self.paths]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


class PromptSearch:
    """Search for the prompts of cases.

    :param sources: files and folders, the most important first.

    :raises UserError: one of them is not there, or is not a source of prompts.
    """

    def __init__(self, sources: Sequence[Path]):
        self._sources = [Path(source) for source in sources]
        self._tables: Dict[Path, List[PromptRow]] = {}
        for source in self._sources:
            if not source.exists():
                raise InputError(f"There are no prompts in '{source}': check its name.")
            if source.suffix.lower() == ".csv":
                self._tables[source] = readTable(source)
            elif source.is_file():
                self._checked(source)

    def find(self, case: BatchCase) -> CasePrompts:
        """Find the prompts of a case.

        :raises PromptError: no source has anything for the case.
        """
        for source in self._sources:
            found = self._inFolder(source, case) if source.is_dir() else self._inFile(source, case)
            if found is not None:
                return found
        raise PromptError(
            f"There are no prompts for '{case.name}': add a file of that name to a folder of prompts or a "
            "row to a table, or give prompts for all cases."
        )

    def _checked(self, source: Path) -> None:
        kind = _kindOf(source)
        if kind is None:
            raise InputError(f"'{source}' is not a source of prompts: give .json, .mrk.json, .csv or labels.")
        if kind == PROMPTS:
            readPromptsFile(source)  # what is wrong with it is said once and not for every case

    def _inFile(self, source: Path, case: BatchCase) -> Optional[CasePrompts]:
        if source not in self._tables:
            return CasePrompts(_kindOf(source), (str(source.resolve()),))
        names = ("", "*", case.name, case.relative)
        rows = tuple(row for row in self._tables[source] if row.case in names)
        return CasePrompts(TABLE, (str(source.resolve()),), rows) if rows else None

    def _inFolder(self, source: Path, case: BatchCase) -> Optional[CasePrompts]:
        for base in (source / case.name, source / case.relative):
            # An image among the prompts is not its own label map.
            named = [path for path in _filesNamed(base) if path.resolve() != Path(case.path).resolve()]
            inside = sorted(base.iterdir()) if base.is_dir() and base != Path(case.path) else []
            for kind in (PROMPTS, MARKUPS, LABELS):
                single = [path for path in named if _kindOf(path) == kind][:1]
                several = [path for path in inside if _kindOf(path) == kind and kind != PROMPTS]
                if single or several:
                    return CasePrompts(kind, tuple(str(path.resolve()) for path in single or several))
        return None


def _filesNamed(base: Path) -> List[Path]:
    """Return files for a case: its name and one of the known tails and endings."""
    if not base.parent.is_dir():
        return []
    wanted = {f"{base.name}.json", f"{base.name}.prompts.json", f"{base.name}.mrk.json"}
    names = [f"{base.name}{tail}" for tail in _LABEL_TAILS]
    files = sorted(path for path in base.parent.iterdir() if path.name.startswith(base.name))
    found = [path for path in files if path.name in wanted]
    return found + [path for name in names for path in files if isImage(path) and stem(path.name) == name]


def _kindOf(path: Path) -> Optional[str]:
    name = path.name.lower()
    if name.endswith(".mrk.json"):
        return MARKUPS
    if name.endswith(".json"):
        return PROMPTS
    return LABELS if isImage(path) else None
