"""Run the viewer's process from its start to its end."""

import asyncio
import contextlib
from typing import Callable

from ..app.engines import ProcessEngine
from ..platforms import PLATFORM
from .server import WebServer
from .viewer import Viewer, ViewOptions
from .views import prepareGraphics


def serve(options: ViewOptions, host: str, port: int, onReady: Callable[[str], None]) -> None:
    """Serve the viewer until the process is interrupted or terminated.

    :param host, port: see `WebServer`.
    :param onReady: called with the address to open.
    :raises UserError: the volume cannot be read, or the address cannot be used.
    """
    prepareGraphics()
    asyncio.run(_serve(options, host, port, onReady))


async def _serve(options: ViewOptions, host: str, port: int, onReady: Callable[[str], None]) -> None:
    webServer = WebServer(host, port)
    engine = ProcessEngine()
    viewer = Viewer(webServer, engine, options)
    try:
        await viewer.open(options.volume)
        await _serveUntilStopped(webServer, viewer, onReady)
    finally:
        await viewer.close()
        engine.close()


async def _serveUntilStopped(webServer: WebServer, viewer: Viewer, onReady: Callable) -> None:
    stopped = asyncio.Event()
    PLATFORM.onStop(asyncio.get_running_loop(), stopped.set)
    work = (webServer.run(), viewer.run(), stopped.wait(), _announce(webServer, onReady))
    *running, announced = map(asyncio.ensure_future, work)
    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    await webServer.stop()
    for task in (*running, announced):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _announce(webServer: WebServer, onReady: Callable[[str], None]) -> None:
    await webServer.trame.ready
    onReady(webServer.address)
