"""Run trame's server by the viewer's own rules: which address, who may come in, how it ends."""

import os
import socket
from typing import Callable, List, Optional

from trame.app import get_server

from ...errors import InputError
from .access import Access

LOOPBACK = "127.0.0.1"


class WebServer:
    """One trame server for one viewer.

    ``routes``: functions that add to the application's router before the server starts.

    :param port: 0 for any that is free.
    """

    def __init__(self, host: str = LOOPBACK, port: int = 0):
        # trame would take the arguments of this process for its own.  Pictures are compressed already.
        os.environ["TRAME_ARGS"] = "--no-ws-compress"
        self._host, self._port = host, port
        self._access = Access(host)
        self.trame = get_server("samunet", client_type="vue3")
        self.routes: List[Callable] = []
        self._application = None
        self.trame.controller.on_server_bind.add(self._onBind)

    @property
    def address(self) -> str:
        """Return the address to open in a browser while the server runs; it contains the secret token."""
        host = socket.gethostname() if self._host in ("0.0.0.0", "::") else self._host
        host = f"[{host}]" if ":" in host else host
        return self._access.address(f"http://{host}:{self.trame.port}")

    @property
    def callingClient(self) -> Optional[str]:
        """Return wslink's ID of the page whose call is being answered, or was answered last."""
        return self._application.last_active_client_id

    async def run(self) -> None:
        """Serve until ``stop``; ``trame.ready`` tells when it has begun.

        :raises InputError: the address cannot be used.
        """
        try:
            await self.trame.start(
                host=self._host,
                port=self._port,
                exec_mode="coroutine",
                backend="aiohttp",
                open_browser=False,
                show_connection_info=False,
                disable_logging=True,
                thread=True,  # signals are the command's own business
                timeout=0,
            )
        except OSError as error:
            raise InputError(
                f"The address {self._host}:{self._port} cannot be used ({error.strerror or error}): "
                "choose another --port, or as --host an address of this computer."
            ) from error

    async def stop(self) -> None:
        if self.trame.running:
            await self.trame.stop()

    def _onBind(self, application) -> None:
        self._application = application
        application.app.middlewares.append(self._access.middleware)
        for addRoutes in self.routes:
            addRoutes(application.app.router)
