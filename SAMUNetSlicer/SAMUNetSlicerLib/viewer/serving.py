"""The viewer's process from its start to its end."""

import asyncio
import contextlib
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from ..app.processEngine import ProcessEngine
from ..engine.reports import ModelSpec
from .graphics import prepareGraphics
from .viewer import Viewer
from .webServer import WebServer


@dataclass(frozen=True)
class ViewJob:
    """``volume``: file or DICOM folder to open; ``host``, ``port``: see `WebServer`."""

    volume: Path
    spec: ModelSpec
    host: str
    port: int


def serve(job: ViewJob, onReady: Callable[[str], None]) -> None:
    """Serve the viewer until the process is interrupted or terminated.

    :param onReady: called with the address to open.
    """
    asyncio.run(_serve(job, onReady))


async def _serve(job: ViewJob, onReady: Callable[[str], None]) -> None:
    prepareGraphics()
    webServer = WebServer(job.host, job.port)
    engine = ProcessEngine()
    viewer = Viewer(webServer, engine)
    try:
        viewer.open(job.volume)
        viewer.session.setModel(job.spec)
        await _serveUntilStopped(webServer, viewer, onReady)
    finally:
        viewer.close()
        engine.close()


async def _serveUntilStopped(webServer: WebServer, viewer: Viewer, onReady: Callable) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    tasks = [asyncio.ensure_future(work) for work in (webServer.run(), viewer.poll(), stopped.wait())]
    ready = asyncio.ensure_future(_announce(webServer, onReady))
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await webServer.stop()
    for task in (*tasks, ready):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _announce(webServer: WebServer, onReady: Callable[[str], None]) -> None:
    await webServer.trame.ready
    onReady(webServer.address)
