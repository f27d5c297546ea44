"""Show a combo box whose entries stand for keys."""

from typing import Callable, Sequence, Tuple

Choice = Tuple[str, str]  # key, text


class ChoiceBox:
    """Fills a QComboBox and speaks of its entries by key.

    :param choices: (key, text) each, in their order.
    :param onChosen: called with a key after another entry was chosen, by the user or by ``choose``.
    """

    def __init__(self, comboBox, choices: Sequence[Choice], onChosen: Callable[[str], None]):
        self.comboBox = comboBox
        self._onChosen = onChosen
        self._keys: Sequence[str] = ()
        self.fill(choices)
        comboBox.connect("currentIndexChanged(int)", self._onIndex)

    @property
    def key(self) -> str:
        """Return key of the chosen entry, "" if there is none."""
        index = self.comboBox.currentIndex
        return self._keys[index] if 0 <= index < len(self._keys) else ""

    def choose(self, key: str) -> None:
        """Choose an entry; a key that there is not changes nothing, as one from a newer version's scene."""
        if key in self._keys:
            self.comboBox.currentIndex = self._keys.index(key)

    def fill(self, choices: Sequence[Choice], chosen: str = "") -> None:
        """Offer other entries; nobody is told.

        :param chosen: the one to begin with, by default the first.
        """
        wasBlocked = self.comboBox.blockSignals(True)
        self.comboBox.clear()
        self._keys = [key for key, _text in choices]
        self.comboBox.addItems([text for _key, text in choices])
        self.choose(chosen)
        self.comboBox.blockSignals(wasBlocked)

    def _onIndex(self, _index: int) -> None:
        if self.key:
            self._onChosen(self.key)
