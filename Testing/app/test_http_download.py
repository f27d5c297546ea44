"""Downloads from a real local server that cuts, corrupts, redirects, stalls and refuses."""

import errno
import hashlib
import io
import random
import shutil
import subprocess
from dataclasses import replace

import pytest

from app.misbehaving_server import MisbehavingServer
from patience import SECONDS
from SAMUNetSlicerLib.app.models import Patience, downloadUrl, httpDownload
from SAMUNetSlicerLib.errors import CancelledError, OutputError, WeightsError

CONTENT = random.Random(0).randbytes(1_000_003)
SUM = hashlib.sha256(CONTENT).hexdigest()
QUICK = Patience(attempts=3, firstPause=0.01, connect=2.0, stall=0.3)
# A busy computer may keep a server that is sound from answering for a while.
PATIENT = replace(QUICK, connect=SECONDS, stall=SECONDS)


def fetch(server, target, **overrides):
    patience = QUICK if "stall" in server.plan else PATIENT
    arguments = {"sha256": SUM, "size": len(CONTENT), "patience": patience, **overrides}
    with server.running() as url:
        return downloadUrl(url, target, **arguments)


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_whole_file_arrives_under_its_name_and_nothing_else_is_left(tmp_path):
    seen = []
    path = fetch(MisbehavingServer(CONTENT), tmp_path / "a b é.bin", progress=lambda *p: seen.append(p))
    assert path.read_bytes() == CONTENT
    assert files_in(tmp_path) == ["a b é.bin"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_cut_connection_is_continued_where_it_stopped_and_only_if_the_file_is_the_same(tmp_path):
    server = MisbehavingServer(CONTENT, ["cut", "cut", "ok"])
    assert fetch(server, tmp_path / "w").read_bytes() == CONTENT
    starts = [int(asked[len("bytes=") : -1]) for asked in server.ranges[1:]]
    assert server.ranges[0] is None
    assert 400_000 < starts[0] < len(CONTENT) // 2 < starts[1]
    assert server.requests[1][1]["If-Range"] == server.etag


def test_what_an_earlier_run_left_is_continued(tmp_path):
    (tmp_path / "w.part").write_bytes(CONTENT[:700_000])
    server = MisbehavingServer(CONTENT)
    assert fetch(server, tmp_path / "w").read_bytes() == CONTENT
    assert server.ranges == ["bytes=700000-"]


def test_a_complete_partial_file_needs_no_more_bytes(tmp_path):
    (tmp_path / "w.part").write_bytes(CONTENT)
    assert fetch(MisbehavingServer(CONTENT), tmp_path / "w").read_bytes() == CONTENT


@pytest.mark.parametrize("left_over", [CONTENT[::1000], CONTENT[::-1] + b"more"], ids=["shorter", "longer"])
def test_a_partial_file_of_another_version_is_thrown_away_once(tmp_path, left_over):
    (tmp_path / "w.part").write_bytes(left_over)
    assert fetch(MisbehavingServer(CONTENT), tmp_path / "w").read_bytes() == CONTENT


def test_without_a_sum_a_partial_file_is_not_trusted(tmp_path):
    (tmp_path / "w.part").write_bytes(b"x" * 1000)
    server = MisbehavingServer(CONTENT)
    assert fetch(server, tmp_path / "w", sha256=None).read_bytes() == CONTENT
    assert server.ranges == [None]


@pytest.mark.parametrize("behavior", ["ignore-range", "wrong-offset"])
def test_a_server_that_does_not_continue_is_read_from_the_start(tmp_path, behavior):
    server = MisbehavingServer(CONTENT, ["cut", behavior, "ok"])
    assert fetch(server, tmp_path / "w").read_bytes() == CONTENT


def test_a_file_that_changes_during_the_download_is_read_from_the_start(tmp_path):
    server = MisbehavingServer(bytes(len(CONTENT)), ["cut", "ok"])

    def publish_new_version(_done, _total):
        server.content, server.etag = CONTENT, '"v2"'

    assert fetch(server, tmp_path / "w", progress=publish_new_version).read_bytes() == CONTENT


def test_a_server_that_does_not_tell_the_length_is_good_enough(tmp_path):
    assert fetch(MisbehavingServer(CONTENT, ["no-length"]), tmp_path / "w", size=None).read_bytes() == CONTENT


def test_a_stalled_server_is_left_and_asked_again(tmp_path):
    assert fetch(MisbehavingServer(CONTENT, ["stall", "ok"]), tmp_path / "w").read_bytes() == CONTENT


def test_a_redirect_is_followed(tmp_path):
    server = MisbehavingServer(CONTENT, ["redirect", "ok"])
    assert fetch(server, tmp_path / "w").read_bytes() == CONTENT
    assert server.requests[1][0] == "/elsewhere.bin"


def test_a_passing_server_error_is_survived(tmp_path):
    assert fetch(MisbehavingServer(CONTENT, [503, 500, "ok"]), tmp_path / "w").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ([403], "refuses to give it"),
        ([404], "does not have it any more"),
        ([418], "answered 418"),
        ([500], "the server answered 500"),
        (["loop"], "leads in a circle"),
        (["corrupt"], "SHA-256 differs"),
        (["login"], "log-in page"),
        (["packed"], "packed form"),
        (["bad-location"], "address is not valid"),
        (["leave"], r"localhost:\d+ sends it without HTTPS"),
        (["endless"], r"more than the 1\.0 MB"),
        (["stall"], "does not answer"),
    ],
)
def test_a_failure_is_one_sentence_and_leaves_no_file(tmp_path, plan, words):
    with pytest.raises(WeightsError, match=words) as failure:
        fetch(MisbehavingServer(CONTENT, plan), tmp_path / "w")
    assert "\n" not in str(failure.value)
    assert "w" not in files_in(tmp_path)


def test_a_corrupt_download_does_not_replace_a_good_file(tmp_path):
    (tmp_path / "w").write_bytes(b"good")
    with pytest.raises(WeightsError):
        fetch(MisbehavingServer(CONTENT, ["corrupt"]), tmp_path / "w")
    assert (tmp_path / "w").read_bytes() == b"good"
    assert files_in(tmp_path) == ["w"]


def test_without_a_network_the_sentence_says_so_and_names_the_way_round(tmp_path):
    with MisbehavingServer(CONTENT).running() as url:
        pass  # the port is closed again
    with pytest.raises(WeightsError, match=r"there is no connection.*--from FILE"):
        downloadUrl(url.replace("http:", "https:"), tmp_path / "w", SUM, patience=QUICK)


@pytest.mark.parametrize("url", ["weights.bin", "ftp://127.0.0.1/w", "http://"])
def test_an_address_that_is_none_is_refused(tmp_path, url):
    with pytest.raises(WeightsError, match="address is not valid"):
        downloadUrl(url, tmp_path / "w", SUM, patience=QUICK)


def test_cancelling_keeps_what_arrived_for_the_next_time(tmp_path):
    def cancel(done, _total):
        raise CancelledError("The download was cancelled.")

    server = MisbehavingServer(CONTENT)
    with pytest.raises(CancelledError):
        fetch(server, tmp_path / "w", progress=cancel)
    kept = (tmp_path / "w.part").stat().st_size
    assert 0 < kept < len(CONTENT)
    fetch(server, tmp_path / "w")
    assert server.ranges[-1] == f"bytes={kept}-"


def test_two_downloads_of_one_file_do_not_write_into_each_other(tmp_path):
    def try_a_second_time(_done, _total):
        with pytest.raises(OutputError, match="Another program"):
            downloadUrl("http://127.0.0.1:9/", tmp_path / "w", SUM, patience=QUICK)

    fetch(MisbehavingServer(CONTENT), tmp_path / "w", progress=try_a_second_time)
    assert (tmp_path / "w").read_bytes() == CONTENT


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="choose another folder"):
        fetch(MisbehavingServer(CONTENT), tmp_path / "file" / "w")


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 512 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_too_small_a_disk_is_refused_before_a_byte_is_read(tiny_disk):
    server = MisbehavingServer(CONTENT)
    with pytest.raises(OutputError, match="1 MB are needed"):
        fetch(server, tiny_disk / "w")
    assert server.requests == []


def test_a_disk_that_fills_up_gets_its_space_back(tiny_disk):
    with pytest.raises(OutputError, match="full: free some space"):
        fetch(MisbehavingServer(CONTENT, ["no-length"]), tiny_disk / "w", size=None)
    assert files_in(tiny_disk) == []


def test_too_large_a_file_for_the_disk_is_refused_when_the_server_tells_its_size(tiny_disk):
    with pytest.raises(OutputError, match="1 MB are needed"):
        fetch(MisbehavingServer(CONTENT), tiny_disk / "w", size=None)
    assert files_in(tiny_disk) == []


def test_a_disk_that_is_full_at_the_last_byte_is_one_sentence_and_gets_its_space_back(tmp_path, monkeypatch):
    class FullDisk(io.FileIO):
        """A file that takes ever less, and then nothing."""

        def write(self, data):
            if self.tell() > 400_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data[: max(1, len(data) // 2)])

    def open_part(path, mode, buffering=-1):
        file = FullDisk(path, mode.replace("b", ""))
        return file if buffering == 0 else io.BufferedWriter(file)

    monkeypatch.setattr(httpDownload, "open", open_part, raising=False)
    with pytest.raises(OutputError, match="full: free some space"):
        fetch(MisbehavingServer(CONTENT), tmp_path / "w")
    assert files_in(tmp_path) == []


def test_nothing_is_asked_for_without_https(tmp_path):
    server = MisbehavingServer(CONTENT, is_plain=False)
    with pytest.raises(WeightsError, match="without HTTPS"):
        fetch(server, tmp_path / "w")
    assert server.requests == [] and files_in(tmp_path) == []


def test_a_length_that_is_no_number_is_passed_over(tmp_path):
    assert fetch(MisbehavingServer(CONTENT, ["bad-length"]), tmp_path / "w").read_bytes() == CONTENT


def test_an_empty_file_is_not_taken_for_a_complete_one(tmp_path):
    with pytest.raises(WeightsError, match="only an empty file"):
        fetch(MisbehavingServer(b""), tmp_path / "w", sha256=None, size=None)
    assert files_in(tmp_path) == []


def test_certificates_that_are_not_there_are_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "absent.pem"))
    with pytest.raises(WeightsError, match=r"absent\.pem; see REQUESTS_CA_BUNDLE"):
        downloadUrl("https://127.0.0.1:9/w", tmp_path / "w", SUM, patience=QUICK)


def test_what_a_server_says_cannot_steer_the_terminal(tmp_path):
    with pytest.raises(WeightsError, match="answered 418") as failure:
        fetch(MisbehavingServer(CONTENT, ["steering"]), tmp_path / "w")
    assert r"\x1b[31mRed" in str(failure.value) and str(failure.value).isprintable()
