"""Define the page's keys: those of the panel in Slicer, and three more."""

from typing import Callable, Dict

from .server import Pages
from .views import NAVIGATE, WINDOW

TOOL_KEYS = {"p": "positive", "n": "negative", "d": "box", "m": NAVIGATE, "w": WINDOW}


class Keys:
    """Called by the page's script with (key, page), see `script`."""

    def __init__(self, pages: Pages, actions: Dict[str, Callable]):
        self._pages, self._actions = pages, actions

    def press(self, key: str, page: str) -> None:
        if self._pages.isActive(page) and key in self._actions:
            self._actions[key]()
