"""Show a list whose entries stand for keys and can be checked."""

from typing import List, Sequence, Tuple

import qt


class CheckList:
    """Fills a QListWidget and speaks of its entries by key.

    :param entries: (key, text) each, in their order.
    """

    def __init__(self, listWidget, entries: Sequence[Tuple[str, str]], checked: Sequence[str] = ()):
        self.listWidget = listWidget
        self._keys = [key for key, _text in entries]
        listWidget.addItems([text for _key, text in entries])
        self.check(checked)

    @property
    def checked(self) -> List[str]:
        """Return keys of the checked entries, in the order of the list."""
        rows = range(len(self._keys))
        return [self._keys[row] for row in rows if self.listWidget.item(row).checkState() == qt.Qt.Checked]

    def check(self, keys: Sequence[str]) -> None:
        """Check these entries and no others; keys that there are not are ignored."""
        for row, key in enumerate(self._keys):
            self.listWidget.item(row).setCheckState(qt.Qt.Checked if key in keys else qt.Qt.Unchecked)
