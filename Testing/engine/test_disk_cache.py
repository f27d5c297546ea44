"""Whatever happens to the folder, the disk tier returns the right embedding or none."""

import json
import multiprocessing
import os
import random
import resource
import struct
import sys
import time

import pytest
import torch

from engine.cache_writers import embedding_of, is_embedding_of, key_of, read_and_write, write_forever
from patience import SECONDS
from SAMUNetSlicerLib.atomicFiles import Workspace
from SAMUNetSlicerLib.engine.serving import DiskTier
from SAMUNetSlicerLib.engine.types import Embedding

GIGABYTE = 1 << 30


@pytest.fixture
def tier(tmp_path):
    return DiskTier(tmp_path / "cache", GIGABYTE)


@pytest.fixture(scope="module")
def processes():
    """Starts real processes that have torch loaded already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["engine.cache_writers"])
    with pytest.MonkeyPatch.context() as patch:  # the fork server does not inherit sys.path
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        context.Process(target=int).start()
    return context


def only_file(tier):
    (path,) = tier._folder.iterdir()
    return path


def test_an_embedding_comes_back_bit_for_bit(tier):
    tensors = (torch.randn(1, 4, 3, 3), torch.randn(1, 2, 5, 5).half(), torch.tensor([[70000.0]]))
    tier.write(key_of(1), Embedding(tensors, (13, 256), (27, 512), "model ü"))
    back = DiskTier(tier._folder, GIGABYTE).read(key_of(1))
    assert all(a.dtype == b.dtype and torch.equal(a, b) for a, b in zip(back.tensors, tensors, strict=True))
    assert (back.input_size, back.original_size, back.model_key) == ((13, 256), (27, 512), "model ü")


def test_what_was_not_written_is_a_miss(tier):
    assert tier.read(key_of(1)) is None
    assert tier.stats() == (0, 0, "")


def test_a_file_that_is_cut_anywhere_is_a_miss_and_removed(tier):
    tier.write(key_of(1), embedding_of(1, size=50))
    path, whole = only_file(tier), only_file(tier).read_bytes()
    for length in [0, 1, 7, 8, 9, 100, len(whole) - 1]:
        path.write_bytes(whole[:length])
        assert tier.read(key_of(1)) is None
        assert not path.exists()


def test_a_file_with_one_changed_byte_anywhere_is_a_miss(tier):
    tier.write(key_of(1), embedding_of(1, size=20))
    path, whole = only_file(tier), only_file(tier).read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        # A flipped bit in the header's own blanks changes nothing that is read.
        assert whole[position] == ord(" ") or tier.read(key_of(1)) is None


def test_a_file_under_the_name_of_another_is_a_miss(tier):
    tier.write(key_of(1), embedding_of(1))
    os.rename(only_file(tier), tier._folder / f"{key_of(2)}.safetensors")
    assert tier.read(key_of(2)) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x04pickle", b"<html>", struct.pack("<Q", 2) + b"{}", struct.pack("<Q", 1 << 60) + b"{}"],
)
def test_a_foreign_file_is_a_miss_and_removed(tier, content):
    tier._folder.mkdir()
    path = tier._folder / f"{key_of(1)}.safetensors"
    path.write_bytes(content)
    assert tier.read(key_of(1)) is None
    assert not path.exists()


def test_a_header_without_our_entries_is_a_miss(tier):
    tier._folder.mkdir()
    header = json.dumps({"__metadata__": {"format": "pt"}}).encode()
    (tier._folder / f"{key_of(1)}.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    assert tier.read(key_of(1)) is None


def test_a_name_that_leads_out_of_the_folder_touches_nothing(tier, tmp_path):
    outside = tmp_path / "mine.safetensors"
    outside.write_bytes(b"mine")
    tier.write("../mine", embedding_of(1))
    assert tier.read("../mine") is None
    assert outside.read_bytes() == b"mine"


def test_the_least_recently_used_embeddings_make_room(tmp_path):
    size = 80_600
    tier = DiskTier(tmp_path, 10 * size)
    for number in range(10):
        tier.write(key_of(number), embedding_of(number))
        os.utime(tmp_path / f"{key_of(number)}.safetensors", (number, number))
    assert tier.stats()[0] == 10
    assert tier.read(key_of(0)) is not None
    for number in range(10, 13):
        tier.write(key_of(number), embedding_of(number))
    assert tier.stats()[1] <= 10 * size
    assert tier.read(key_of(0)) is not None, "it had just been used"
    assert tier.read(key_of(1)) is None and tier.read(key_of(12)) is not None


def test_clearing_removes_the_files_and_leaves_others_alone(tier):
    tier.write(key_of(1), embedding_of(1))
    (tier._folder / "notes.txt").write_text("mine")
    tier.clear()
    assert [path.name for path in tier._folder.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_made_is_said_once_and_does_no_harm(tmp_path):
    (tmp_path / "file").write_text("")
    tier = DiskTier(tmp_path / "file" / "cache", GIGABYTE)
    tier.write(key_of(1), embedding_of(1))
    tier.write(key_of(2), embedding_of(2))
    assert tier.read(key_of(1)) is None
    assert str(tmp_path / "file" / "cache") in tier.stats()[2]
    tier.clear()


def test_a_write_that_fails_half_way_leaves_nothing_behind(tier):
    tier.write(key_of(1), embedding_of(1))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
    try:
        tier.write(key_of(2), embedding_of(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert tier.stats()[0] == 1 and tier.stats()[2]
    assert len(list(tier._folder.iterdir())) == 1
    assert is_embedding_of(1, tier.read(key_of(1))), "reading goes on"


def test_killing_a_writer_at_any_moment_leaves_only_sound_embeddings(tmp_path, processes):
    rng = random.Random(0)
    for round_number in range(24):
        started = processes.Event()
        first = round_number * 100_000
        writer = processes.Process(target=write_forever, args=(str(tmp_path), first, started))
        writer.start()
        assert started.wait(SECONDS)
        time.sleep(rng.uniform(0.001, 0.03))
        writer.kill()
        writer.join()
    tier = DiskTier(tmp_path, GIGABYTE)
    names = [path.stem for path in tmp_path.glob("*.safetensors")]
    assert len(names) >= 24
    assert all(is_embedding_of(int(name, 16), tier.read(name)) for name in names)


def test_what_a_killed_writer_left_unfinished_is_removed_later(tier):
    tier.write(key_of(1), embedding_of(1))
    old, new = Workspace(tier._folder), Workspace(tier._folder)
    for workspace in (old, new):
        (workspace.folder / "half").write_bytes(b"half")
    old._lock.close()  # as if its process had been killed
    other = DiskTier(tier._folder, GIGABYTE)
    other.write(key_of(2), embedding_of(2))
    assert not old.folder.exists() and new.folder.exists(), "another process is still writing that one"
    new.close()


def test_two_processes_share_a_folder_that_is_always_too_small(tmp_path, processes):
    results = processes.SimpleQueue()
    budget = 12 * 80_600
    workers = [
        processes.Process(target=read_and_write, args=(str(tmp_path), seed, 1500, budget, results))
        for seed in (1, 2)
    ]
    for worker in workers:
        worker.start()
    outcomes = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    assert all(found > 100 and wrong == 0 and warning == "" for found, wrong, warning in outcomes)
    assert DiskTier(tmp_path, budget).stats()[1] < 30 * 80_600


def test_files_of_others_in_the_folder_are_neither_evicted_nor_cleared(tmp_path):
    others = [tmp_path / name for name in ("finetuned.safetensors", "download.tmp", "a" * 40 + ".txt")]
    for path in others:
        path.write_bytes(b"not ours")
        os.utime(path, (0, 0))
    tier = DiskTier(tmp_path, 1)
    tier.write(key_of(1), embedding_of(1))
    tier.clear()
    assert sorted(tmp_path.iterdir()) == sorted(others)
