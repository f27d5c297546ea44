"""Restrict which files of the viewer's computer the page may name."""

from pathlib import Path
from typing import Optional, Sequence

from ...errors import InputError


class Reach:
    """Folders that the page may use.

    :param folders: where, and below which, the page may read and write; None for wherever the user may.
    """

    def __init__(self, folders: Optional[Sequence[Path]] = None):
        self._folders = None if folders is None else [folder.resolve() for folder in folders]

    def path(self, text: str) -> Path:
        """Return the path that the user has written.

        :raises InputError: it is out of reach, also by way of a link.
        """
        path = Path(text.strip()).expanduser()
        if self._folders is not None:
            real = path.resolve()
            if not any(folder in (real, *real.parents) for folder in self._folders):
                folders = "' and '".join(map(str, self._folders))
                raise InputError(
                    f"A viewer that others can reach opens and writes files below '{folders}' only: "
                    "upload the volume, or download the results."
                )
        return path
