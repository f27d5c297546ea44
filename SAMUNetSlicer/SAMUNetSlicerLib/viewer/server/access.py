"""Admit only pages that were opened with the viewer's secret token."""

import hmac
import secrets
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

_REFUSAL = (
    "This viewer opens only with its full address, which ends in a secret token: "
    "copy the address that `samunet view` has printed."
)
_FOREIGN = "This request comes from another web page: it is refused."
_RENAMED = "This address is not that of the viewer: open the address that `samunet view` has printed."

# A redirect would not do: a browser that comes from another site keeps a strict cookie from it.
_HANDOVER = (
    '<!doctype html><meta charset="utf-8"><title>SAMUNetSlicer</title>'
    '<meta http-equiv="refresh" content="0;url=/index.html">'
)

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Access:
    """Checks every request, for pages, files, uploads and the websocket alike.

    The token in the address is exchanged for a cookie at once, so that it does not stay in the address bar,
    the history or a screen shot.  Cookies are shared by all servers of a host name, so pages of other
    servers on this computer are told apart by their origin.  A server for this computer alone goes by its
    loopback names only: another site's name, made to lead here, opens nothing.

        access = Access()
        application.middlewares.append(access.middleware)
        access.address("http://127.0.0.1:8080")

    :param host: what the server listens on.
    """

    def __init__(self, host: str = "127.0.0.1"):
        self._isLocal = isLoopback(host)
        self.token = secrets.token_urlsafe(32)
        # One for each viewer: several may run on one host name.
        self._cookie = f"samunet-{secrets.token_hex(4)}"

    def address(self, base: str) -> str:
        """Return the address to open: it gives access to whoever has it."""
        return f"{base}/?token={self.token}"

    @web.middleware
    async def middleware(self, request: web.Request, handler) -> web.StreamResponse:
        if self._isLocal and not isLoopback(_withoutPort(request.host)):
            return _refuse(_RENAMED)
        if not _isOwnOrigin(request):
            return _refuse(_FOREIGN)
        isOpening = (
            request.method == "GET" and request.path == "/" and self._isToken(request.query.get("token"))
        )
        if isOpening:
            response = web.Response(text=_HANDOVER, content_type="text/html")
            response.set_cookie(self._cookie, self.token, httponly=True, samesite="Strict")
        elif self._isToken(request.cookies.get(self._cookie)):
            response = await handler(request)
        else:
            return _refuse(_REFUSAL)
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    def _isToken(self, text) -> bool:
        # Any bytes may arrive, as surrogates.
        given = (text or "").encode(errors="replace")
        return hmac.compare_digest(given, self.token.encode())


def isLoopback(host: str) -> bool:
    """Tell whether a host, by name or address, is always the computer that asks for it."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _withoutPort(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if port.isdigit() else host


def _isOwnOrigin(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("Host")


def _refuse(sentence: str) -> web.Response:
    return web.Response(status=403, text=sentence, headers=_HEADERS)
