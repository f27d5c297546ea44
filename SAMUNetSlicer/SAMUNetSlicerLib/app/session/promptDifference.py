"""What a user has just done to the prompts of a segment, from the prompts before and after."""

from typing import NamedTuple, Sequence

from ...scene.prompts.promptRecord import PromptRecord

_NAMES = {"positive": "positive point", "negative": "negative point", "box": "box"}


class PromptDifference(NamedTuple):
    """``label``: of the undo step; ``isMove``: prompts have only moved, as during a drag."""

    label: str
    isMove: bool


def promptDifference(before: Sequence[PromptRecord], after: Sequence[PromptRecord]) -> PromptDifference:
    """Compare by id; additions are named before removals, removals before moves."""
    old = {record.id: record for record in before}
    new = {record.id: record for record in after}
    added = [record for record in after if record.id not in old]
    removed = [record for record in before if record.id not in new]
    moved = [record for record in after if record.id in old and not record.sameAs(old[record.id])]
    if added:
        return PromptDifference(_named(added), False)
    if removed:
        return PromptDifference(f"remove {_named(removed)}", False)
    return PromptDifference(f"move {_named(moved)}", bool(moved))


def _named(records: Sequence[PromptRecord]) -> str:
    return _NAMES[records[0].kind] if len(records) == 1 else "prompts"
