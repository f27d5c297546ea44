"""Tell the user what happens between a click and its mask, by the status line and the bar."""

from typing import Callable, Optional

from slicer.i18n import tr as _

from ...app.session import MaskReport, SegmentationSession
from ...app.texts import maskText
from .progressRow import ProgressRow
from .statusLine import StatusLine


class WorkWatch:
    """Follows the session's predictions.

    :param isLoading: whether the network is still being loaded, which the click waits for.
    """

    def __init__(
        self,
        session: SegmentationSession,
        status: StatusLine,
        progress: ProgressRow,
        isLoading: Callable[[], bool],
    ):
        self._session, self._status, self._progress = session, status, progress
        self._isLoading = isLoading
        self._wasBusy = False
        self._told: Optional[MaskReport] = session.lastMask
        session.statusChanged.connect(self.refresh)
        session.error.connect(self._onError)
        session.notice.connect(status.warn)
        session.progress.connect(status.setReadiness)

    def refresh(self) -> None:
        session = self._session
        if session.isBusy and not self._wasBusy:
            self._begin()
        elif not session.isBusy:
            self._progress.end(self)
        self._wasBusy = session.isBusy
        if session.lastMask is not self._told:
            self._told = session.lastMask
            self._status.say(maskText(self._told, _))
        self._status.refresh()

    def close(self) -> None:
        self._session.notice.disconnect(self._status.warn)

    def _begin(self) -> None:
        session = self._session
        isReady = session.plane is not None and session.isReady(session.plane)
        text = _("Segmenting") if isReady else _("Encoding the slice")
        if not self._isLoading():
            self._status.say(_("{step}...").format(step=text))
            self._progress.begin(self, text, session.editor.stop, isLong=not isReady)

    def _onError(self, error) -> None:
        self._status.warn(str(error))
