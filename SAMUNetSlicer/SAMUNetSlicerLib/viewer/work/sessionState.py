"""Tell the page about the session: what can be done now, and how the work goes."""

from typing import Optional

from ...app.session import MaskReport, SegmentationSession
from ...app.texts import engineText, maskText
from ...engine.serving import EngineStatus
from .status import Status


class SessionState:
    """Keeps ``undoLabel``, ``redoLabel``, ``hasPrompts``, ``engineText`` of the page's state, and the status
    line, like the session's."""

    def __init__(self, state, session: SegmentationSession, status: Status):
        self._state, self._session, self._status = state, session, status
        self._wasBusy = False
        self._told: Optional[MaskReport] = session.lastMask
        session.statusChanged.connect(self._refresh)
        session.error.connect(lambda error: status.warn(str(error)))
        session.notice.connect(status.warn)
        session.progress.connect(status.setReadiness)
        session.engineChanged.connect(self._onEngine)
        self._refresh()
        self._onEngine(session.engine.status)

    def _refresh(self) -> None:
        state, session = self._state, self._session
        state.undoLabel, state.redoLabel = session.undoLabel, session.redoLabel
        state.hasPrompts = bool(session.prompts())
        if session.isBusy and not self._wasBusy:
            self._status.begin(self, "Segmenting", session.editor.stop)
        elif not session.isBusy:
            self._status.end(self)
        self._wasBusy = session.isBusy
        if session.lastMask is not None and session.lastMask is not self._told:
            self._told = session.lastMask
            self._status.say(maskText(self._told))

    def _onEngine(self, status: Optional[EngineStatus]) -> None:
        self._state.engineText = "" if status is None else engineText(status)
