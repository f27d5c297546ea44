"""Windows, macOS and Linux: where they differ, with the other systems' primitives faked on this one."""

import ast
import asyncio
import errno
import os
import random
import signal
import subprocess
import sys
import time
import types

import pytest

from SAMUNetSlicerLib import platforms
from SAMUNetSlicerLib.platforms import Linux, MacOS, Platform, Windows, platformOf
from source_tree import MODULE_FILES, imports_of, name_of, tree_of

POSIX = pytest.mark.skipif(os.name == "nt", reason="this system's own primitives")


class FakeWindows:
    """The functions of msvcrt and _winapi that are used: byte locks by file, pipes of this system."""

    def __init__(self):
        self.locks = {}
        self.pipeBytes = []
        self.msvcrt = types.SimpleNamespace(
            LK_NBLCK=2,
            locking=self._lock,
            get_osfhandle=lambda descriptor: descriptor,
            open_osfhandle=lambda handle, _flags: handle,
        )
        self.winapi = types.SimpleNamespace(
            CreatePipe=self._createPipe,
            SetNamedPipeHandleState=lambda handle, mode, _most, _time: os.set_blocking(handle, mode != 1),
            PeekNamedPipe=self._peek,
        )

    def _lock(self, descriptor, _mode, count):
        """Lock bytes from the position on, as Windows does for each opening of a file by itself."""
        start = os.lseek(descriptor, 0, os.SEEK_CUR)
        file = os.fstat(descriptor).st_ino
        wanted = {(file, byte) for byte in range(start, start + count)}
        if any(owner != descriptor for byte, owner in self.locks.items() if byte in wanted):
            raise PermissionError(errno.EACCES, "Permission denied")
        self.locks.update(dict.fromkeys(wanted, descriptor))

    def _createPipe(self, _security, size):
        self.pipeBytes.append(size)
        return os.pipe()

    def _peek(self, handle, _size):
        import fcntl
        import struct
        import termios

        (waiting,) = struct.unpack("i", fcntl.ioctl(handle, termios.FIONREAD, b"\0" * 4))
        if not waiting and self._isClosed(handle):
            raise OSError(errno.EPIPE, "The pipe has been ended")
        return waiting, 0, 0

    @staticmethod
    def _isClosed(handle):
        os.set_blocking(handle, False)
        try:
            return os.read(handle, 1) == b""
        except BlockingIOError:
            return False


@pytest.fixture
def windows(monkeypatch):
    fake = FakeWindows()
    monkeypatch.setitem(sys.modules, "msvcrt", fake.msvcrt)
    monkeypatch.setitem(sys.modules, "_winapi", fake.winapi)
    return fake


@pytest.fixture(params=[Linux, MacOS, Windows])
def system(request):
    """Each implementation; those of POSIX are real here."""
    if request.param is Windows:
        request.getfixturevalue("windows")
    return request.param()


def test_every_system_has_its_implementation_and_leaves_nothing_out():
    assert [type(platformOf(name)) for name in ("win32", "darwin", "linux", "freebsd14")] == [
        Windows,
        MacOS,
        Linux,
        Linux,
    ]
    wanted = {name for name, value in vars(Platform).items() if callable(value)}
    optional = {"hasDisplay", "replace"}
    for kind in (Linux, Windows):
        assert wanted - optional <= set(vars(kind))


def test_nothing_else_in_the_product_asks_which_system_it_is_on():
    own = {"fcntl", "msvcrt", "_winapi", "winreg", "termios"}
    wrong = []
    for path in MODULE_FILES:
        if path.name in ("platforms.py", "cpu_cores.py"):  # the latter counts them, on each system its way
            continue
        wrong += [(name_of(path), name) for name in imports_of(path) if name.split(".")[0] in own]
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                pair = f"{node.value.id}.{node.attr}"
                wrong += [(name_of(path), pair)] if pair in ("os.name", "sys.platform") else []
    assert not wrong


@POSIX
def test_of_two_who_want_a_file_alone_one_gets_it_wherever_they_are_in_it(system, tmp_path):
    path = tmp_path / "w.part"
    path.write_bytes(b"what an earlier download left")
    with open(path, "ab") as first, open(path, "ab") as second:
        system.lock(first.fileno())
        second.seek(5)
        first.write(b"more")
        first.flush()
        with pytest.raises(OSError):
            system.lock(second.fileno())


@POSIX
def test_those_who_share_a_file_keep_out_whoever_wants_it_alone(system, tmp_path):
    with open(tmp_path / "lock", "ab") as one, open(tmp_path / "lock", "ab") as two:
        with open(tmp_path / "lock", "ab") as alone:
            system.lock(one.fileno(), isShared=True)
            system.lock(two.fileno(), isShared=True)
            with pytest.raises(OSError):
                system.lock(alone.fileno())


@POSIX
def test_whoever_has_a_file_alone_keeps_out_those_who_would_share_it(system, tmp_path):
    with open(tmp_path / "lock", "ab") as alone, open(tmp_path / "lock", "ab") as one:
        system.lock(alone.fileno())
        with pytest.raises(OSError):
            system.lock(one.fileno(), isShared=True)


@POSIX
def test_a_write_to_a_pipe_that_nobody_empties_never_waits_and_no_byte_is_lost(system):
    readEnd, writeEnd = system.pipe()
    system.keepFromWaiting(readEnd, writeEnd)
    sent, image = b"", memoryview(random.Random(0).randbytes(3_000_000))
    while written := system.writeSome(writeEnd, image[len(sent) :]):
        sent += bytes(image[len(sent) : len(sent) + written])
    assert 0 < len(sent) < len(image)
    received = b""
    while chunk := system.readAvailable(readEnd, 1 << 20):
        received += chunk
    assert received == sent
    assert system.readAvailable(readEnd, 1 << 20) == b""
    os.close(writeEnd)
    assert system.readAvailable(readEnd, 1 << 20) is None
    os.close(readEnd)


@POSIX
def test_a_whole_slice_fits_into_a_pipe_to_a_process_that_is_still_starting(windows):
    for system in (Windows(), *([Linux()] if sys.platform == "linux" else [])):
        readEnd, writeEnd = system.pipe()
        system.keepFromWaiting(readEnd, writeEnd)
        if isinstance(system, Windows):
            assert windows.pipeBytes == [1 << 20]
        else:
            assert system.writeSome(writeEnd, memoryview(bytes(512 * 512))) == 512 * 512
        os.close(readEnd)
        os.close(writeEnd)


def test_a_full_pipe_on_windows_takes_what_fits_and_then_nothing(monkeypatch, windows):
    room = [5000]

    def write(_end, data):
        if len(data) > room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        room[0] -= len(data)
        return len(data)

    monkeypatch.setattr(os, "write", write)
    data = memoryview(bytes(9000))
    assert Windows().writeSome(3, data) == 4500
    assert Windows().writeSome(3, data) == 0


def test_a_pipe_that_is_closed_on_windows_is_no_full_one(monkeypatch, windows):
    monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(errno.EINVAL, "closed")))
    with pytest.raises(OSError, match="closed"):
        Windows().writeSome(3, memoryview(b"image"))


@POSIX
def test_waiting_ends_when_something_arrives(system):
    readEnd, writeEnd = system.pipe()
    system.keepFromWaiting(readEnd, writeEnd)
    system.waitReadable(readEnd, 0.01)
    os.write(writeEnd, b"x")
    begun = time.monotonic()
    system.waitReadable(readEnd, 30)
    assert time.monotonic() - begun < 20
    assert system.readAvailable(readEnd, 10) == b"x"
    os.close(readEnd)
    os.close(writeEnd)


def test_windows_ends_a_process_with_all_that_it_has_started(monkeypatch):
    commands, killed = [], []
    monkeypatch.setattr(subprocess, "run", lambda command, **options: commands.append((command, options)))
    Windows().killTree(types.SimpleNamespace(pid=77, kill=lambda: killed.append(77)))
    (command, _), *_ = commands
    assert command == ["taskkill", "/F", "/T", "/PID", "77"]
    assert killed == [77]


def test_windows_starts_processes_without_a_window(monkeypatch):
    monkeypatch.setattr(subprocess, "CREATE_NO_WINDOW", 0x08000000, raising=False)
    assert Windows().childOptions() == {"creationflags": 0x08000000}


def test_a_file_that_a_virus_scanner_holds_for_a_moment_is_replaced_on_windows(monkeypatch, tmp_path):
    refusals = [PermissionError(errno.EACCES, "in use")] * 3
    replace = os.replace

    def sometimes(source, target):
        if refusals:
            raise refusals.pop()
        replace(source, target)

    monkeypatch.setattr(platforms.os, "replace", sometimes)
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    Windows().replace(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_text() == "new"


def test_a_file_that_stays_in_use_on_windows_is_left_as_it_was(monkeypatch, tmp_path):
    def never(_source, _target):
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(platforms.os, "replace", never)
    monkeypatch.setattr(platforms, "_REPLACE_SECONDS", 0.05)
    with pytest.raises(PermissionError):
        Windows().replace(tmp_path / "new", tmp_path / "old")


@POSIX
@pytest.mark.parametrize("kind", [Linux, MacOS, Windows])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_hears_when_it_is_to_stop(kind, number):
    class Loop(asyncio.SelectorEventLoop):
        """An event loop as Windows has it."""

        def add_signal_handler(self, *_):
            if kind is Windows:
                raise NotImplementedError
            return super().add_signal_handler(*_)

    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    loop = Loop()

    async def serve():
        stopped = asyncio.Event()
        kind().onStop(loop, stopped.set)
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stopped.wait(), 10)
        return True

    try:
        assert loop.run_until_complete(serve())
    finally:
        loop.close()
        for each, handler in before.items():
            signal.signal(each, handler)
