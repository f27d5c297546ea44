"""A file is written complete and checked, or not at all."""

import errno
import os
import threading

import pytest

from patience import SECONDS
from SAMUNetSlicerLib.errors import InputError, OutputError
from SAMUNetSlicerLib.scene.export import splitEnding, writeChecked
from scene.small_disk import mounted


def write(text):
    return lambda path: path.write_text(text)


def accept(path):
    assert path.read_text()


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_the_file_appears_under_its_name_and_nothing_else_does(tmp_path):
    seen = []

    def check(path):
        seen.append((path.parent.parent, path.name.endswith(".nii.gz"), path.read_text()))
        assert not (tmp_path / "a.nii.gz").exists()

    place = writeChecked(tmp_path / "a.nii.gz", "refuse", write("voxels"), check)

    assert place == tmp_path / "a.nii.gz"
    assert contents(tmp_path) == {"a.nii.gz": "voxels"}
    assert seen == [(tmp_path, True, "voxels")]


def test_an_existing_file_is_refused_before_anything_is_written(tmp_path):
    (tmp_path / "a.csv").write_text("old")
    written = []

    with pytest.raises(OutputError, match="exists already: choose another name"):
        writeChecked(tmp_path / "a.csv", "refuse", written.append, accept)

    assert written == [] and contents(tmp_path) == {"a.csv": "old"}


def test_an_existing_file_is_overwritten_only_by_a_good_one(tmp_path):
    (tmp_path / "a.csv").write_text("old")

    def reject(path):
        raise OutputError("it differs")

    with pytest.raises(OutputError, match="it differs"):
        writeChecked(tmp_path / "a.csv", "overwrite", write("bad"), reject)
    assert contents(tmp_path) == {"a.csv": "old"}

    writeChecked(tmp_path / "a.csv", "overwrite", write("new"), accept)
    assert contents(tmp_path) == {"a.csv": "new"}


def test_numbering_takes_the_first_free_name(tmp_path):
    names = [
        writeChecked(tmp_path / "Fall 1.seg.nrrd", "number", write(str(number)), accept).name
        for number in range(3)
    ]

    assert names == ["Fall 1.seg.nrrd", "Fall 1-2.seg.nrrd", "Fall 1-3.seg.nrrd"]
    assert contents(tmp_path) == dict(zip(names, "012"))


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
@pytest.mark.parametrize("existing", ["refuse", "number", "overwrite"])
def test_exports_to_one_name_at_one_moment_lose_nothing_unasked(tmp_path, monkeypatch, existing, links):
    if not links:  # as on FAT and on some network drives
        monkeypatch.setattr(os, "link", no_links)
    together = threading.Barrier(4)
    results = []

    def export(text):
        def write_together(path):
            path.write_text(text)
            together.wait(SECONDS)

        try:
            results.append(writeChecked(tmp_path / "a.csv", existing, write_together, accept).name)
        except OutputError as error:
            results.append(str(error))

    threads = [threading.Thread(target=export, args=[str(number)]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    files = contents(tmp_path)
    refused = [result for result in results if "exists already" in result]
    expected = {"refuse": (1, 3), "number": (4, 0), "overwrite": (1, 0)}[existing]
    assert (len(files), len(refused)) == expected
    assert set(files.values()) <= set("0123")


def no_links(*_):
    raise OSError(errno.EPERM, "Operation not permitted")


NAMES = ["Läsion größer.csv", "病変 – 左 腎.csv", "with space .csv", "a'b\"c;d.csv", "-n.csv"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_taken_as_it_is(tmp_path, name):
    folder = tmp_path / "Ärzte & Büro 1"
    folder.mkdir()

    assert writeChecked(folder / name, "refuse", write("x"), accept) == folder / name
    assert contents(folder) == {name: "x"}


def test_the_longest_name_that_the_disk_allows_works(tmp_path):
    name = "n" * 251 + ".csv"

    assert writeChecked(tmp_path / name, "refuse", write("x"), accept).name == name
    with pytest.raises(OutputError, match="choose a shorter one"):
        writeChecked(tmp_path / ("n" + name), "refuse", write("x"), accept)
    assert list(contents(tmp_path)) == [name]


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(OutputError, match="gone' does not exist: create it"):
        writeChecked(tmp_path / "gone" / "a.csv", "refuse", write("x"), accept)
    assert contents(tmp_path) == {}


def test_a_file_in_place_of_the_folder_is_said(tmp_path):
    (tmp_path / "file").write_text("x")

    with pytest.raises(OutputError, match="is not a folder"):
        writeChecked(tmp_path / "file" / "a.csv", "overwrite", write("x"), accept)


def test_a_folder_in_place_of_the_file_is_not_replaced(tmp_path):
    (tmp_path / "a.csv").mkdir()

    for existing in ("refuse", "overwrite"):
        with pytest.raises(OutputError, match=r"a\.csv"):
            writeChecked(tmp_path / "a.csv", existing, write("x"), accept)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_dangling_link_is_a_taken_name(tmp_path):
    (tmp_path / "a.csv").symlink_to(tmp_path / "nowhere")

    with pytest.raises(OutputError, match="exists already"):
        writeChecked(tmp_path / "a.csv", "refuse", write("x"), accept)


@pytest.mark.parametrize("existing", ["refuse", "overwrite", "number"])
@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "no space left in"),
        (errno.EDQUOT, "quota"),
        (errno.EACCES, "may not write"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_failing_disk_leaves_nothing_behind(tmp_path, existing, number, sentence):
    def fail(path):
        path.write_text("half")
        raise OSError(number, os.strerror(number))

    with pytest.raises(OutputError, match=rf"'a\.csv' was not written: .*{sentence}.*\.$"):
        writeChecked(tmp_path / "a.csv", existing, fail, accept)
    assert contents(tmp_path) == {}


def test_any_other_exception_leaves_nothing_behind_either(tmp_path):
    def stop(path):
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writeChecked(tmp_path / "a.csv", "refuse", stop, accept)
    assert contents(tmp_path) == {}


def test_a_full_disk_is_said_also_where_the_writer_noticed_nothing(tmp_path):
    def fill_up(path):
        with pytest.raises(OSError, match="No space"):
            path.write_bytes(bytes(2**20))

    def reject(path):
        raise OutputError("the file holds other voxels than were written")

    with mounted(tmp_path / "small", "size=64k") as folder:
        with pytest.raises(OutputError, match="there is no space left in"):
            writeChecked(folder / "a.csv", "refuse", fill_up, reject)
        assert contents(folder) == {}


def test_a_read_only_folder_is_said(tmp_path):
    with mounted(tmp_path / "fixed", "ro,size=64k") as folder:
        with pytest.raises(OutputError, match="is read-only: choose another folder"):
            writeChecked(folder / "a.csv", "refuse", write("x"), accept)
        assert contents(folder) == {}


def test_an_unknown_way_to_treat_existing_files_is_refused(tmp_path):
    with pytest.raises(InputError, match="'ask' is not a way"):
        writeChecked(tmp_path / "a.csv", "ask", write("x"), accept)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.seg.nrrd", ("a", ".seg.nrrd")),
        ("a.b.NII.GZ", ("a.b", ".NII.GZ")),
        ("a.nrrd", ("a", ".nrrd")),
        (".nii.gz", (".nii", ".gz")),
        ("none", ("none", "")),
    ],
)
def test_the_ending_of_a_name_may_have_two_parts(tmp_path, name, parts):
    assert splitEnding(tmp_path / name) == parts
