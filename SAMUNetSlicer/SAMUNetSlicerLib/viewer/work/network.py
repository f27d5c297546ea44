"""Choose which network segments, which gray levels it sees, and how masks treat other segments."""

from typing import Callable

from ...app.models import catalog, installedWeights
from ...app.session import FOLLOW_DISPLAY, SegmentationSession
from ...engine.serving import ModelSpec
from ...engine.windowing import WindowSetting
from .status import Status


class Network:
    """Follows the choices ``modelId``, ``window`` and ``policy`` of the page's state.

    ``models``: [{"value", "title"}] of those whose weights are here.

    :param specOf: returns the `ModelSpec` of a model's ID.
    :param spec: of the model to begin with.
    """

    def __init__(
        self,
        state,
        session: SegmentationSession,
        status: Status,
        spec: ModelSpec,
        specOf: Callable[[str], ModelSpec],
    ):
        self._state, self._session, self._specOf = state, session, specOf
        self._loaded = spec.model_id
        cards = catalog().cards.values()
        models = [card for card in cards if card.id == spec.model_id or installedWeights(card)]
        state.update(
            {
                "models": [{"value": card.id, "title": card.title} for card in models],
                "modelId": spec.model_id,
                "window": FOLLOW_DISPLAY,
                "policy": "protectAll",
            }
        )
        state.change("modelId")(lambda **_: status.attempt(self._onModel))
        state.change("window")(lambda **_: status.attempt(self._onWindow))
        state.change("policy")(lambda **_: session.setPolicy(state.policy))
        self._onWindow()
        session.setModel(spec)

    def _onModel(self) -> None:
        if self._state.modelId != self._loaded:
            self._loaded = self._state.modelId
            self._session.setModel(self._specOf(self._loaded))

    def _onWindow(self) -> None:
        window = self._state.window
        self._session.setWindow(window if window == FOLLOW_DISPLAY else WindowSetting(window))
