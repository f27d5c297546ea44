"""A real HTTP server on the loopback interface that misbehaves on request."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from patience import SECONDS


class MisbehavingServer:
    """Serves ``content``; ``plan`` says how each request in turn is answered, the last entry for good.

    Entries: "ok", "cut" (half of what was asked for, then the connection ends), "stall" (half, then
    silence), "corrupt" (one byte flipped), "ignore-range", "no-length", "wrong-offset", "loop",
    "redirect" (once, to the same file), "login" (a page with status 200), or a status code.
    """

    def __init__(self, content, plan=("ok",), etag='"v1"'):
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
            try:
                yield f"http://127.0.0.1:{server.server_port}/weights.bin"
            finally:
                self.stalled.set()
                server.shutdown()
                thread.join()


class _Handler(BaseHTTPRequestHandler):
    owner: MisbehavingServer

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.owner.requests.append((self.path, dict(self.headers)))
        behavior = self.owner.next_behavior()
        if isinstance(behavior, int):
            self.send_error(behavior)
        elif behavior in ("loop", "redirect"):
            self.send_response(302)
            self.send_header("Location", self.path if behavior == "loop" else "/elsewhere.bin")
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
        length = None if behavior == "no-length" else len(content) - start
        self.owner.isStalling = behavior == "stall"
        self._send(bytes(body), told, length, 206 if start else 200)
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

    def _send(self, body, start, length, status):
        self.send_response(status)
        self.send_header("ETag", self.owner.etag)
        if length is not None:
            self.send_header("Content-Length", str(length))
        if status == 206:
            total = len(self.owner.content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.end_headers()
        self.wfile.write(body)
