"""Install keys that work while the module is shown.

Not taken, because Slicer uses them: in slice views B F G R T V, the arrows and [ ] { }; in the Segment
Editor 0 to 9 (with Shift, too), Escape, Space, Z Y Q W I , . / * < > and in its effects A X + - Return;
S on a control point.  Ctrl+Z and Ctrl+Y mean there what they mean here.
"""

from typing import Callable, List, Sequence, Tuple

import qt

TOOL_KEYS = (("P", "positive"), ("N", "negative"), ("D", "box"))
UNDO_KEY, REDO_KEY = "Ctrl+Z", "Ctrl+Y"


class Shortcuts:
    """Exists between ``install`` and ``remove`` only: in another module the keys are that module's.

    :param actions: (key, what it does) each.
    """

    def __init__(self, actions: Sequence[Tuple[str, Callable[[], None]]]):
        self._actions = actions
        self._shortcuts: List = []

    def install(self, window) -> None:
        """Install the keys.

        :param window: Slicer's main window; without one there are no keys.
        """
        if window is None or self._shortcuts:
            return
        for key, action in self._actions:
            shortcut = qt.QShortcut(qt.QKeySequence(key), window)
            shortcut.connect("activated()", action)
            self._shortcuts.append(shortcut)

    def remove(self) -> None:
        """Remove the keys; may be called twice."""
        shortcuts, self._shortcuts = self._shortcuts, []
        for shortcut in shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
