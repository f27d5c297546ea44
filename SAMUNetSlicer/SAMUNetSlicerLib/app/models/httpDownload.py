"""Download a file from a web address: resumed where it was cut off, verified by its checksum, never left
half.
"""

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, FrozenSet, Iterator, Optional
from urllib.parse import urlsplit

from ...errors import OutputError, WeightsError
from ..common import Progress, installVerified, lockExclusively, noProgress, outputErrors, requireSpace

if TYPE_CHECKING:  # requests costs 0.1 s, which every start of the command line would pay
    import requests

_CHUNK = 1 << 16  # what is lost at most when the connection is cut
MOST_BYTES = 8 << 30  # more than any network has, for files whose size nobody has published

# Hosts that may be asked without HTTPS: none but in tests, which bring a server of their own.
PLAIN_HOSTS: FrozenSet[str] = frozenset()
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_REFUSALS = {
    401: "wants a password",
    403: "refuses to give it to this computer",
    404: "does not have it any more",
    410: "does not have it any more",
}


@dataclass(frozen=True)
class Patience:
    """Limits for waiting for a server, in seconds, and for trying again.

    ``attempts`` counts failures in a row without a single new byte; the pause doubles after each.
    """

    attempts: int = 5
    firstPause: float = 1.0
    connect: float = 10.0
    stall: float = 30.0


class _Interrupted(Exception):
    """The transfer stopped for a reason that may pass; the text completes 'it could not be downloaded: '."""


def downloadUrl(
    url: str,
    target: Path,
    sha256: Optional[str] = None,
    size: Optional[int] = None,
    progress: Progress = noProgress,
    patience: Patience = Patience(),
) -> Path:
    """Download ``url`` to ``target``; what an earlier call left in ``target.part`` is continued.

    Without a sum a partial file cannot be trusted and is begun anew.  An exception raised by ``progress``
    stops the transfer and leaves the partial file for later.  Nothing is ever asked for without HTTPS,
    wherever an address leads.

    :param sha256: 64 hexadecimal digits, or None where none is published.
    :param size: bytes, or None.
    :raises WeightsError: no network, a refusal of the server, a wrong size or sum.
    :raises OutputError: the disk is full, the folder cannot be written, another program downloads the same.
    """
    part = target.with_name(target.name + ".part")
    requireSpace(target.parent, size and size - _sizeOf(part))
    continued = sha256 is not None and _sizeOf(part) > 0
    with _openPart(part) as stream:
        if not continued:
            stream.truncate(0)
        try:
            _Transfer(url, stream, target.name, size, progress, patience).run()
        except (WeightsError, OutputError):
            _forgetIfEmpty(part)
            raise
    try:
        return installVerified(part, target, sha256)
    except WeightsError:
        if not continued:
            raise
        # The beginning came from an earlier call, perhaps from another version of the file.
        return downloadUrl(url, target, sha256, size, progress, patience)


class _Transfer:
    """The requests that fill one partial file."""

    def __init__(self, url, stream, name, size, progress, patience):
        self.url, self.stream, self.name, self.size = url, stream, name, size
        self.progress, self.patience = progress, patience
        self.validator = None  # ETag or date of what the stream holds, for If-Range

    def run(self) -> None:
        """Come back until the file is complete or patience is at an end."""
        failures = 0
        with _httpsSession(self.name) as session:
            while True:
                before = self._position()
                try:
                    self._attempt(session)
                    return
                except _Interrupted as error:
                    failures = 1 if self._position() > before else failures + 1
                    if failures >= self.patience.attempts:
                        raise WeightsError(self._sentence(error)) from error
                time.sleep(self.patience.firstPause * 2 ** (failures - 1))

    def _attempt(self, session: "requests.Session") -> None:
        with _requestErrors(self.name), self._get(session) as response:
            if response.status_code == 416:
                self._settleUnsatisfiableRange(response)
                return
            self._checkStatus(response)
            total = self._startWriting(response)
            for chunk in response.iter_content(_CHUNK):
                self._write(chunk)
                self.progress(self._position(), total)
        # Some HTTP stacks end quietly when the other side does.
        if total is not None and self._position() < total:
            raise _Interrupted("the connection was cut")

    def _get(self, session: "requests.Session") -> "requests.Response":
        # "identity": a length and a range must mean bytes of the file, not of its compressed form.
        headers = {"Accept-Encoding": "identity"}
        if self._position():
            headers["Range"] = f"bytes={self._position()}-"
            if self.validator:
                headers["If-Range"] = self.validator
        patience = (self.patience.connect, self.patience.stall)
        with _addressErrors(self.name):
            return session.get(self.url, headers=headers, stream=True, timeout=patience)

    def _settleUnsatisfiableRange(self, response: "requests.Response") -> None:
        """Find out whether all of the file is here already, or what is here is not of this file."""
        if not self._position():
            raise WeightsError(f"{_host(self.url)} has only an empty file as {self.name}: nothing was kept.")
        if response.headers.get("Content-Range") == f"bytes */{self._position()}":
            return
        self._restart()
        raise _Interrupted("the server refused to continue the transfer")

    def _checkStatus(self, response: "requests.Response") -> None:
        status = response.status_code
        if status in _TRANSIENT:
            raise _Interrupted(f"the server answered {status} {response.reason}")
        if status not in (200, 206):
            meaning = _REFUSALS.get(status, f"answered {status} {response.reason}")
            raise WeightsError(
                f"{self.name} could not be downloaded: {_host(self.url)} {meaning} (HTTP {status}); "
                "get the file in another way and give it with --from FILE."
            )

    def _startWriting(self, response: "requests.Response") -> Optional[int]:
        """Position the stream where the answer begins; return the size of the whole file if it is told."""
        if response.status_code == 200:
            self._restart()
        elif not self._continues(response):
            self._restart()
            raise _Interrupted("the server refused to continue the transfer")
        self.validator = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if self.validator and self.validator.startswith("W/"):
            self.validator = None  # If-Range takes strong validators only (RFC 9110, 13.1.5)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise WeightsError(
                f"{_host(self.url)} sends {self.name} in a packed form that nobody asked for: get the file "
                "in another way and give it with --from FILE."
            )
        length = response.headers.get("Content-Length", "")
        isTold = length.isascii() and length.isdigit()
        total = self._position() + int(length) if isTold else self.size
        if None not in (total, self.size) and total != self.size:
            raise WeightsError(
                f"{_host(self.url)} offers {total} bytes as {self.name} but the catalog says {self.size}: "
                "it is another file, or a log-in page of the network stands between; nothing was kept."
            )
        if total is not None:
            self._requireNoMoreThan(total)
            requireSpace(Path(self.stream.name).parent, total - self._position())
        return total

    def _requireNoMoreThan(self, size: int) -> None:
        most = self.size or MOST_BYTES
        if size > most:
            self._restart()
            raise WeightsError(
                f"{_host(self.url)} sends more than the {most / 1e6:.1f} MB that {self.name} can have: it is "
                "another file; nothing was kept."
            )

    def _continues(self, response: "requests.Response") -> bool:
        start = response.headers.get("Content-Range", "").partition("-")[0]
        return start == f"bytes {self._position()}"

    def _write(self, chunk: bytes) -> None:
        self._requireNoMoreThan(self._position() + len(chunk))
        try:
            with outputErrors(Path(self.stream.name)):
                rest = memoryview(chunk)
                while rest:
                    rest = rest[self.stream.write(rest) :]
        except OutputError:
            self._restart()  # a full disk hurts every other program: give the space back
            raise

    def _position(self) -> int:
        return self.stream.seek(0, os.SEEK_END)

    def _restart(self) -> None:
        self.stream.truncate(0)

    def _sentence(self, error: _Interrupted) -> str:
        kept = self._position()
        rest = f" (the {kept / 1e6:.1f} MB that arrived are kept)" if kept else ""
        return (
            f"{self.name} could not be downloaded from {_host(self.url)}: {error}; check the network and try "
            f"again{rest}, or give a file with --from FILE."
        )


def _httpsSession(name: str) -> "requests.Session":
    """Make a session that leaves HTTPS for no address and no redirect."""
    import requests

    session = requests.Session()
    adapterOf = session.get_adapter  # asked for each address, also those that redirects lead to

    def adapterOverHttps(url: str):
        parts = urlsplit(url)
        if parts.scheme.lower() == "http" and parts.hostname not in PLAIN_HOSTS:
            raise WeightsError(
                f"{name} could not be downloaded: {parts.netloc} sends it without HTTPS, so that anybody on "
                "the way could change it; get it in another way and give it with --from FILE."
            )
        return adapterOf(url)

    session.get_adapter = adapterOverHttps
    return session


@contextlib.contextmanager
def _addressErrors(name: str) -> Iterator[None]:
    """Say in a sentence what ``requests`` lets through of other libraries' errors when it begins."""
    import requests

    try:
        yield
    except requests.RequestException:
        raise
    except ValueError as error:
        raise WeightsError(f"{name} could not be downloaded: its address is not valid ({error}).") from error
    except OSError as error:
        raise WeightsError(
            f"{name} could not be downloaded: {error}; see REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE."
        ) from error


@contextlib.contextmanager
def _requestErrors(name: str) -> Iterator[None]:
    """Sort what ``requests`` raises into what may pass and what will not."""
    import requests

    try:
        yield
    except requests.TooManyRedirects as error:
        raise WeightsError(f"{name} could not be downloaded: its address leads in a circle.") from error
    except requests.exceptions.SSLError as error:
        raise WeightsError(
            f"{name} could not be downloaded: the server's certificate is not trusted here; ask who runs the "
            "network, or give a file with --from FILE."
        ) from error
    except requests.RequestException as error:
        if isinstance(error, ValueError):  # how requests marks everything wrong with the address itself
            raise WeightsError(
                f"{name} could not be downloaded: its address is not valid ({error})."
            ) from error
        raise _Interrupted(_whatHappened(error)) from error


def _whatHappened(error: "requests.RequestException") -> str:
    import requests
    from urllib3.exceptions import ReadTimeoutError

    cause = error.args[0] if error.args else None
    # A stall in the middle of the body arrives as a ConnectionError around urllib3's own time-out.
    if isinstance(error, requests.Timeout) or isinstance(cause, ReadTimeoutError):
        return "the server does not answer"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut"
    return "there is no connection"


@contextlib.contextmanager
def _openPart(part: Path) -> Iterator[BinaryIO]:
    with outputErrors(part):
        stream = open(part, "ab", buffering=0)  # nothing is left to be written after a full disk
    with stream:
        lockExclusively(stream, part)
        yield stream


def _sizeOf(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _forgetIfEmpty(part: Path) -> None:
    if _sizeOf(part) == 0:
        with contextlib.suppress(OSError):  # Windows removes no open file
            part.unlink()


def _host(url: str) -> str:
    return urlsplit(url).netloc or url
