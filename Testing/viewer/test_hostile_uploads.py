"""Uploads that try to have this computer's files read, fill its disk, or get in each other's way."""

import asyncio
import contextlib
import ctypes
import gzip
import io
import json
import os
import struct
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from SAMUNetSlicerLib.app.files import readImage
from viewer.viewing import run_apart

SECRET = b"the secret of this computer " * 40
SIDE = 10
VOXELS = np.arange(SIDE**3, dtype=np.uint8).reshape(SIDE, SIDE, SIDE)

_NRRD = ["NRRD0004", "type: uchar", "dimension: 3", f"sizes: {SIDE} {SIDE} {SIDE}", "encoding: raw"]
_META = ["ObjectType = Image", "NDims = 3", f"DimSize = {SIDE} {SIDE} {SIDE}", "ElementType = MET_UCHAR"]


def nrrd_headers(secret):
    """Headers that could lead a lenient parser to the secret."""
    near = os.path.relpath(secret, "/a/b")
    field = f"data file: {secret}"
    yield from ([*_NRRD, field], [*_NRRD, f"datafile: {secret}"], [*_NRRD, f"Data File: {secret}"])
    yield from (
        [*_NRRD, f"data file:\t{secret}"],
        [*_NRRD, f"  data file: {secret}"],
        [*_NRRD, f"data file: {near}"],
    )
    yield [*_NRRD, " " * 70_000 + field]
    yield [*_NRRD, "content: " + "x" * 65_526 + " " * 100, field]
    yield [*_NRRD, "#" + "x" * 65_535, field]
    yield [*_NRRD, "x" * 65_535 + "\n" + field]
    yield [*_NRRD, "data file: LIST", str(secret)]
    yield [*_NRRD, "data file: LIST 2", *[str(secret)] * SIDE]
    yield [*_NRRD, f"data file: {secret}%d 0 9 1"]
    yield [*_NRRD, f"data file: {str(secret)[:-1]}%c 0 0 1"]
    yield [*_NRRD, f"key:=value\\n{field}"]
    yield [*_NRRD, f"content: x\r{field}"]
    yield [*_NRRD, f"content: x\v{field}"]
    yield [*_NRRD, f"content: x\0{field}"]
    yield [*_NRRD, f"content: x\n{field}\n"]
    yield [*_NRRD, f"kinds: domain domain domain\r{field}"]
    yield [*_NRRD, f"space: left-posterior-superior\n\n{field}"]
    yield ["\ufeff" + _NRRD[0], *_NRRD[1:], field]
    yield ["NRRD0005\r", *(line + "\r" for line in _NRRD[1:]), field + "\r"]
    yield [*_NRRD, "byte skip: -1", field]
    yield [*_NRRD, "line skip: 3", field]
    yield [*_NRRD[:-1], "encoding: text", field]
    yield [*_NRRD[:-1], "encoding: hex", field]
    yield [*_NRRD[:-1], "encoding: bzip2", field]
    yield [*_NRRD[:-1], f"encoding: raw; {field}"]
    yield [*_NRRD, f"data\u00a0file: {secret}"]


def meta_headers(secret):
    near, local = os.path.relpath(secret, "/a/b"), "ElementDataFile = LOCAL"
    field = f"ElementDataFile = {secret}"
    yield from ([*_META, field], [*_META, f"ElementDataFile : {secret}"], [*_META, f"ElementDataFile={near}"])
    yield [*_META, "elementdatafile = LOCAL", field]
    yield [*_META, "ELEMENTDATAFILE = LOCAL", field]
    yield [*_META, "ElementDataFile LOCAL", field]
    yield [*_META, f"ElementDataFile = LIST\n{secret}"]
    yield [*_META, f"ElementDataFile = LIST 2\n{secret}"]
    yield [*_META, f"ElementDataFile = {secret}%d 0 0 1"]
    yield [*_META, f"{local} {secret}"]
    yield [*_META, f"Comment = x\r{field}", local]
    yield [*_META, f"Comment = x\0{field}", local]
    yield [*_META, f"Offset = 0 0 0 {field}", local]
    yield [*_META, "Comment = " + " " * 70_000 + field, local]
    yield [*_META, f"Modality = {field}", local]
    yield [*_META, "HeaderSize = -1", field]
    yield [*_META, "HeaderSize = 5", local]
    yield [*_META, "CompressedData = True", field]
    yield ["ObjectType = Scene", "NObjects = 1", *_META, field]
    yield [line + "\r" for line in [*_META, field]]


def nifti_files():
    image = sitk.GetImageFromArray(VOXELS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "volume.nii"
        sitk.WriteImage(image, str(path))
        whole = path.read_bytes()

    def changed(place, kind, value):
        content = bytearray(whole)
        struct.pack_into("<" + kind, content, place, value)
        return bytes(content)

    yield changed(344, "4s", b"ni1\0")
    yield changed(344, "4s", b"n-1\0")
    yield changed(108, "f", -400.0)
    yield changed(108, "f", 1e20)
    yield changed(108, "f", float("nan"))
    yield changed(40, "h", 7)
    yield changed(42, "h", 32767)
    yield gzip.compress(whole)[:-5]
    yield gzip.compress(whole + bytes(1 << 26))


def dicom_files(secret):
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.94"  # JPIP: the pixels are at an address
    dataset.SOPClassUID, dataset.SOPInstanceUID = pydicom.uid.CTImageStorage, "1.2.3"
    dataset.Rows = dataset.Columns = SIDE
    dataset.PixelDataProviderURL = f"file://{secret}"
    yield _stored(dataset)
    directory = pydicom.Dataset()
    directory.file_meta = pydicom.dataset.FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    directory.SOPClassUID, directory.SOPInstanceUID = "1.2.840.10008.1.3.10", "1.2.3"
    record = pydicom.Dataset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no name that DICOM allows leads anywhere
        record.ReferencedFileID, record.DirectoryRecordType = str(secret).split("/"), "IMAGE"
    directory.DirectoryRecordSequence = [record]
    yield _stored(directory)
    bomb = b"\0" * 128 + b"DICM" + b"\2\0\0\0UL\4\0" + struct.pack("<I", 30)
    yield bomb + b"\2\0\x10\0UI\x16\0" + b"1.2.840.10008.1.2.1.99" + gzip.compress(bytes(1 << 24))


def _stored(dataset):
    stream = io.BytesIO()
    dataset.save_as(stream, implicit_vr=False, little_endian=True, enforce_file_format=True)
    return stream.getvalue()


def zip_files(secret):
    for name in (str(secret), f"../../{secret.name}", "volume.nrrd"):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, bytes(1 << 20))
        yield stream.getvalue()


def programs(secret):
    """Files in which other readers than the one for their name would see a program or references."""
    yield f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n({secret}) (r) file\n".encode()
    yield f'<?xml version="1.0"?><svg><image href="file://{secret}"/></svg>'.encode()
    yield f'<VTKFile type="vtkMultiBlockDataSet"><DataSet file="{secret}"/></VTKFile>'.encode()
    yield b"\x89HDF\r\n\x1a\n" + str(secret).encode() * 20
    yield b"\xff\xd8\xff\xe0" + str(secret).encode()


def hostile(secret):
    """(name, content) of everything that is sent."""
    for lines in nrrd_headers(secret):
        text = "\n".join([*lines, "", ""]).encode()
        yield "volume.nrrd", text
        yield "volume.nrrd", text + VOXELS.tobytes()
    for lines in meta_headers(secret):
        text = "\n".join([*lines, ""]).encode()
        yield "volume.mha", text
        yield "volume.mha", text + VOXELS.tobytes()
    yield from (
        ("volume.nii" if each[:2] != b"\x1f\x8b" else "volume.nii.gz", each) for each in nifti_files()
    )
    yield from (("IM0001", each) for each in dicom_files(secret))
    for name in ("volume.dcm", "volume.nii.gz", "volume.nrrd", "volume.mha"):
        yield from ((name, each) for each in zip_files(secret))
    for name in ("picture.png", "picture.jpg", "picture.tif", "picture.bmp", "volume.dcm", "volume.nii"):
        yield from ((name, each) for each in programs(secret))
        lines = [*_NRRD, f"data file: {secret}", "", ""]
        yield name, "\n".join(lines).encode()


class Server:
    """Uploads behind a real server; ``images`` holds what was opened, ``folders`` and ``kept`` the folders
    and files of uploads that are there."""

    def __init__(self, most=1 << 27):
        from SAMUNetSlicerLib.viewer.server import Uploads

        self.images, self.names, self.open = [], [], self._read
        self.uploads = Uploads(self._opened, most)

    async def _opened(self, path, name):
        await self.open(path)
        self.names.append(name)

    async def _read(self, path):
        image = await asyncio.get_running_loop().run_in_executor(None, readImage, path)
        self.images.append(image)

    @property
    def kept(self):
        return [path for folder in self.folders for path in folder.rglob("*") if path.is_file()]

    @property
    def folders(self):
        return [path for path in self.uploads._folder.iterdir() if path.is_dir()]

    @contextlib.asynccontextmanager
    async def running(self):
        from aiohttp import ClientSession, web

        application = web.Application()
        self.uploads.addRoutes(application.router)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.address = f"http://127.0.0.1:{runner.addresses[0][1]}/upload"
        try:
            async with ClientSession() as self.client:
                yield self
        finally:
            self.uploads.close()
            await runner.cleanup()

    async def send(self, *files):
        """Return the sentence, or None if the files were opened."""
        from aiohttp import FormData

        form = FormData()
        for name, content in files:
            form.add_field("file", content, filename=name)
        async with self.client.post(self.address, data=form) as answer:
            assert answer.status == 200
            return (await answer.json())["error"]

    async def send_raw(self, body, boundary="x"):
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}" if boundary else "multipart/form-data"
        }
        async with self.client.post(self.address, data=body, headers=headers) as answer:
            return answer.status, json.loads(await answer.text()) if answer.status == 200 else None


class Watch:
    """Linux tells who opens or reads a file."""

    _OPENED_OR_READ = 0x20 | 0x1

    def __init__(self, path):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._number = self._libc.inotify_init1(os.O_NONBLOCK)
        assert self._libc.inotify_add_watch(self._number, os.fsencode(path), self._OPENED_OR_READ) >= 0

    def wasTouched(self):
        try:
            return bool(os.read(self._number, 4096))
        except BlockingIOError:
            return False

    def close(self):
        os.close(self._number)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells who reads a file")
def test_the_watch_notices_a_read(tmp_path):
    (tmp_path / "secret").write_bytes(SECRET)
    watch = Watch(tmp_path / "secret")
    assert not watch.wasTouched()
    (tmp_path / "secret").read_bytes()
    assert watch.wasTouched()
    watch.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells who reads a file")
def test_no_upload_whatever_its_header_says_has_another_file_read(tmp_path, capfd):
    secret = tmp_path / "secret.raw"
    secret.write_bytes(SECRET)
    files = list(hostile(secret))
    assert len(files) >= 40
    watch, faults = Watch(secret), []

    async def run():
        async with Server().running() as server:
            for name, content in files:
                before = len(server.images)
                said = await server.send((name, content))
                if watch.wasTouched():
                    faults.append((name, content[:300], "was read"))
                if said is not None and (not said.endswith(".") or "\n" in said or "/tmp" in said):
                    faults.append((name, content[:300], said))
                for image in server.images[before:]:
                    voxels = sitk.GetArrayFromImage(image).tobytes()
                    if SECRET[:12] in voxels:
                        faults.append((name, content[:300], "was shown"))
            assert len(server.kept) <= 1

    run_apart(run())
    watch.close()
    assert not faults
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["volume.nrrd", "volume.mha"])
@pytest.mark.parametrize("kind", ["plain", "compressed", "color"])
def test_what_is_shown_is_what_the_file_says(tmp_path, name, kind):
    voxels = np.random.default_rng(2).integers(0, 255, (4, 5, 6, 3)).astype(np.uint8)
    image = sitk.GetImageFromArray(
        voxels if kind == "color" else voxels[..., 0].astype(np.int16), isVector=kind == "color"
    )
    image.SetSpacing((0.7, 0.9, 2.5))
    image.SetOrigin((-31.5, 12.25, 77.0))
    image.SetDirection(sitk.Euler3DTransform((0, 0, 0), 0.3, -0.2, 0.5).GetMatrix())
    sitk.WriteImage(image, str(tmp_path / name), kind == "compressed")

    async def run():
        async with Server().running() as server:
            assert await server.send((name, (tmp_path / name).read_bytes())) is None
            return server.images

    (shown,) = run_apart(run())
    expected = readImage(tmp_path / name)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(shown), sitk.GetArrayFromImage(expected))
    for of in (sitk.Image.GetSpacing, sitk.Image.GetOrigin, sitk.Image.GetDirection):
        np.testing.assert_allclose(of(shown), of(expected), atol=1e-12)


def test_an_upload_that_arrives_while_another_is_opened_does_not_take_its_files_away(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(tmp_path / "volume.nii"))
    content = (tmp_path / "volume.nii").read_bytes()
    missing = []

    async def run():
        async with Server().running() as server:

            async def open_slowly(path):
                for _ in range(20):
                    await asyncio.sleep(0.01)
                    if not path.exists():
                        missing.append(path)

            server.open = open_slowly
            answers = await asyncio.gather(*(server.send((f"v{n}.nii", content)) for n in range(4)))
            assert answers == [None] * 4
            assert len(server.kept) == 1

    run_apart(run())
    assert not missing


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        (b"", "x"),
        (b"nothing of the kind", "x"),
        (b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.nii"\r\n\r\nhalf', "x"),
        (b"--x\r\n\r\n\r\n--x--\r\n", "x"),
        (
            (
                b'--x\r\nContent-Disposition: form-data; filename="a.nii"\r\n'
                b"Content-Transfer-Encoding: odd\r\n\r\nx\r\n--x--\r\n"
            ),
            "x",
        ),
        (b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\nx\r\n--y--\r\n--x--\r\n", "x"),
        (b"--x\r\n" + b"A: " + b"b" * 100_000 + b"\r\n\r\nx\r\n--x--\r\n", "x"),
        (b"--x--", ""),
        (b"--x--", "y" * 100),
    ],
)
def test_a_form_that_is_none_is_a_sentence_and_leaves_nothing(body, boundary):
    async def run():
        async with Server().running() as server:
            status, answer = await server.send_raw(body, boundary)
            assert status == 200 and answer["error"].endswith(".")
            assert not server.folders

    run_apart(run())


def test_an_upload_that_is_broken_off_leaves_nothing(tmp_path):
    async def run():
        async with Server().running() as server:
            host, port = server.address.split("/")[2].split(":")
            _, writer = await asyncio.open_connection(host, int(port))
            head = "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n"
            writer.write(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode())
            writer.write(b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.nii"\r\n\r\nhalf')
            await writer.drain()
            for _ in range(100):
                if server.kept:
                    break
                await asyncio.sleep(0.02)
            assert server.kept
            writer.close()
            for _ in range(100):
                if not server.folders:
                    return
                await asyncio.sleep(0.02)
            raise AssertionError("the folder stays")

    run_apart(run())
