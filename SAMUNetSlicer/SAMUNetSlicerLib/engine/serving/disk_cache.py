"""Keep embeddings on disk: one safetensors file per slice, each with its own checksum."""

import json
import os
import re
import threading
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from ...atomicFiles import replaceFile, sweepWorkspaces
from ..types import Embedding

_FORMAT = "samunet-embedding-1"  # raise the number whenever the meaning of a file changes
_SUFFIX = ".safetensors"
# Names of other shapes are other people's files: they are neither counted nor removed.
_KEY = re.compile(r"[0-9a-f]{40}")
_FINISHED_NAME = re.compile(rf"{_KEY.pattern}{re.escape(_SUFFIX)}")
_WRITES_PER_COUNT = 32  # other processes write too, so the running total drifts
_EVICT_TO = 0.9  # of the budget: counting files costs more than writing one


class DiskTier:
    """A folder of embeddings that processes share without talking to each other.

    A file appears under its name only when complete, see `atomicFiles`, carries a
    checksum over everything it says, and is removed when that does not hold.  So a killed process leaves
    at most an unfinished file, removed later, and a damaged or foreign file is a miss, never an
    embedding.  Files go in the order of their last use (modification time).

    A folder that cannot be written (read-only, full) ends writing, not reading; `stats` says so.

    :param folder: made when the first embedding is written.
    :param max_bytes: budget of all files, exceeded by at most a few embeddings per process.
    """

    def __init__(self, folder: Path, max_bytes: int):
        self._folder = folder
        self._max_bytes = max_bytes
        self._warning = ""
        self._total = 0
        self._writes = 0
        self._lock = threading.Lock()

    def read(self, key: str) -> Optional[Embedding]:
        """Return the embedding of a key, or None if there is no sound one."""
        path = self._path(key)
        if path is None:
            return None
        try:
            data = path.read_bytes()
        except OSError:
            return None
        embedding = _unpack(key, data)
        with suppress(OSError):  # another process may have removed it, or the folder is read-only
            if embedding is None:
                path.unlink()
            else:
                os.utime(path)
        return embedding

    def write(self, key: str, embedding: Embedding) -> None:
        """Keep an embedding; a folder that refuses is noted once and not tried again."""
        path = self._path(key)
        if path is None or self._warning:
            return
        data = _pack(key, embedding)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write_whole(path, data)
        except OSError as error:
            self._warning = (
                f"Encoded slices are kept in memory only, because the folder {self._folder} cannot be "
                f"written ({error.strerror or error}); free some space there or choose another folder."
            )
            return
        self._account(len(data))

    def clear(self) -> None:
        """Remove every embedding of every process."""
        with self._lock:
            for path, _, _ in self._files():
                _remove(path)
            sweepWorkspaces(self._folder)
            self._total = 0

    def stats(self) -> Tuple[int, int, str]:
        """Return (number of embeddings, their bytes, the warning or "")."""
        files = self._files()
        return len(files), sum(size for _, size, _ in files), self._warning

    def _path(self, key: str) -> Optional[Path]:
        # A name from elsewhere must not lead out of the folder, where a foreign file would be removed.
        return self._folder / (key + _SUFFIX) if _KEY.fullmatch(key) else None

    def _account(self, size: int) -> None:
        with self._lock:
            self._writes += 1
            self._total += size
            if self._total > self._max_bytes or self._writes % _WRITES_PER_COUNT == 1:
                self._evict()

    def _evict(self) -> None:
        sweepWorkspaces(self._folder)
        files = sorted(self._files(), key=lambda file: file[2])
        self._total = sum(size for _, size, _ in files)
        if self._total <= self._max_bytes:
            return
        for path, size, _ in files:
            if self._total <= self._max_bytes * _EVICT_TO:
                break
            _remove(path)
            self._total -= size

    def _files(self) -> List[Tuple[Path, int, float]]:
        """Return (path, bytes, time of the last use) of each file."""
        found = []
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                if _FINISHED_NAME.fullmatch(entry.name):
                    with suppress(FileNotFoundError):
                        state = entry.stat()
                        found.append((Path(entry.path), state.st_size, state.st_mtime))
        return found


def _write_whole(path: Path, data: bytes) -> None:
    try:
        replaceFile(path, lambda unfinished: unfinished.write_bytes(data), isDurable=False)
    except OSError:
        # Windows refuses while another process reads the file, which then has the same content already.
        if not path.exists():
            raise


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _pack(key: str, embedding: Embedding) -> bytes:
    tensors = {str(i): tensor for i, tensor in enumerate(embedding.tensors)}
    about = {
        "format": _FORMAT,
        "key": key,
        "model_key": embedding.model_key,
        "input_size": json.dumps(list(embedding.input_size)),
        "original_size": json.dumps(list(embedding.original_size)),
    }
    return save(tensors, {**about, "checksum": _checksum(about, tensors)})


def _unpack(key: str, data: bytes) -> Optional[Embedding]:
    """Return the embedding in a file's bytes, or None where they are not exactly what `_pack` made for the
    key.
    """
    try:
        tensors, about = load(data), _metadata(data)
        checksum = about.pop("checksum")
        if checksum != _checksum(about, tensors) or (about["format"], about["key"]) != (_FORMAT, key):
            return None
        sizes = [tuple(json.loads(about[name])) for name in ("input_size", "original_size")]
        return Embedding(tuple(tensors[str(i)] for i in range(len(tensors))), *sizes, about["model_key"])
    except (SafetensorError, ValueError, KeyError, AttributeError):
        return None


def _metadata(data: bytes) -> Dict[str, str]:
    """Read the text entries of a safetensors file: 8 bytes of length, then a JSON header."""
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length])["__metadata__"]


def _checksum(about: Dict[str, str], tensors: Dict[str, torch.Tensor]) -> str:
    digest = blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=20)
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(repr((name, str(tensor.dtype), tuple(tensor.shape))).encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy())
    return digest.hexdigest()
