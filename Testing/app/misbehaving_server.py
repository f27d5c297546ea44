"""A real HTTP server on the loopback interface that misbehaves on request."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from patience import SECONDS
from SAMUNetSlicerLib.app.models import httpDownload


class MisbehavingServer:
    """Serves ``content``; ``plan`` says how each request in turn is answered, the last entry for good.

    Entries: "ok", "cut" (half of what was asked for, then the connection ends), "stall" (half, then
    silence), "corrupt" (one byte flipped), "ignore-range", "no-length", "wrong-offset", "loop",
    "redirect" (once, to the same file), "login" (a page with status 200), "leave" (a redirect to this
    computer under a name that may not be asked without HTTPS), "bad-location", "bad-length" (headers that
    make no sense), "packed" (gzip that nobody asked for), "endless" (without a length), "steering" (a reason
    that turns a terminal red), or a status code.

    :param is_plain: whether downloads may ask it without HTTPS.
    """

    def __init__(self, content, plan=("ok",), etag='"v1"', is_plain=True):
        self.is_plain = is_plain
        self.content, self.plan, self.etag = content, list(plan), etag
        self.requests = []  # (path, headers) in order of arrival
        self.stalled, self.isStalling = threading.Event(), False

    @property
    def ranges(self):
        return [headers.get("Range") for _, headers in self.requests]

    def next_behavior(self):
        return self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]

    @contextlib.contextmanager
    def running(self):
        handler = type("Handler", (_Handler,), {"owner": self})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            before = httpDownload.PLAIN_HOSTS
            httpDownload.PLAIN_HOSTS = frozenset({"127.0.0.1"} if self.is_plain else ())
            try:
                yield f"http://127.0.0.1:{server.server_port}/weights.bin"
            finally:
                httpDownload.PLAIN_HOSTS = before
                self.stalled.set()
                server.shutdown()
                thread.join()


_LOCATIONS = {
    "loop": "{path}",
    "redirect": "/elsewhere.bin",
    "leave": "http://localhost:{port}/elsewhere.bin",
    "bad-location": "http://[::1",
}


class _Handler(BaseHTTPRequestHandler):
    owner: MisbehavingServer

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.owner.requests.append((self.path, dict(self.headers)))
        behavior = self.owner.next_behavior()
        if isinstance(behavior, int):
            self.send_error(behavior)
        elif behavior == "steering":
            self.send_response(418, "\x1b[31mRed\x9b0m")
            self.end_headers()
        elif behavior == "endless":
            self._send_endlessly()
        elif behavior in _LOCATIONS:
            self.send_response(302)
            location = _LOCATIONS[behavior].format(path=self.path, port=self.server.server_port)
            self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif behavior == "login":
            self._send(b"<html>please log in</html>", 0, 26, 200)
        else:
            self._send_file(behavior)

    def _send_file(self, behavior):
        content = self.owner.content
        start = self._range_start(behavior)
        if start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = bytearray(content[start:])
        if behavior == "corrupt":
            body[len(body) // 2] ^= 1
        if behavior in ("cut", "stall"):
            body = body[: (len(body) + 1) // 2]
        told = start + 1 if behavior == "wrong-offset" else start
        length = {"no-length": None, "bad-length": "abc"}.get(behavior, len(content) - start)
        more = {"Content-Encoding": "gzip"} if behavior == "packed" else {}
        self.owner.isStalling = behavior == "stall"
        self._send(bytes(body), told, length, 206 if start else 200, more)
        if behavior == "stall":
            self.wfile.flush()
            self.owner.stalled.wait(SECONDS)
            self.owner.isStalling = False

    def _range_start(self, behavior):
        asked = self.headers.get("Range")
        condition = self.headers.get("If-Range")
        if not asked or behavior == "ignore-range" or (condition and condition != self.owner.etag):
            return 0
        return int(asked[len("bytes=") :].rstrip("-"))

    def _send_endlessly(self):
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            while not self.owner.stalled.is_set():
                self.wfile.write(bytes(100_000))

    def _send(self, body, start, length, status, more=()):
        self.send_response(status)
        for name, value in dict(more).items():
            self.send_header(name, value)
        self.send_header("ETag", self.owner.etag)
        if length is not None:
            self.send_header("Content-Length", str(length))
        if status == 206:
            total = len(self.owner.content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.end_headers()
        self.wfile.write(body)
