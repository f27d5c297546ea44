"""What an upload may not be, without a browser: too large, too many files, no files."""

import pytest

from viewer.viewing import run_apart

LIMIT = 1000


def post(form_of):
    """Send a form to uploads with a small limit; return the answer, and what was opened."""
    from aiohttp import ClientSession, FormData, web

    from SAMUNetSlicerLib.viewer.server import Uploads

    opened = []

    async def open_volume(path, name):
        opened.append((path, path.read_bytes(), name))

    async def run():
        uploads, application = Uploads(open_volume, LIMIT), web.Application()
        uploads.addRoutes(application.router)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            async with ClientSession() as client:
                address = f"http://127.0.0.1:{runner.addresses[0][1]}/upload"
                async with client.post(address, data=form_of(FormData())) as answer:
                    return (await answer.json())["error"]
        finally:
            uploads.close()
            await runner.cleanup()

    return run_apart(run()), opened


def with_files(*files):
    def fill(form):
        for name, content in files:
            form.add_field("file", content, filename=name)
        return form

    return fill


def test_a_file_arrives_byte_by_byte_under_a_name_of_our_own():
    error, ((path, content, name),) = post(with_files(("CT-abdomen.nii.gz", b"12345")))
    assert error is None
    assert (content, name) == (b"12345", "CT-abdomen")
    assert path.name == "00000.nii.gz"


@pytest.mark.parametrize("sizes", [[LIMIT + 1], [LIMIT - 10, 20]])
def test_what_is_too_large_is_refused(sizes):
    error, opened = post(with_files(*((f"{size}.nrrd", bytes(size)) for size in sizes)))
    assert "larger than" in error
    assert not opened


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\autoexec.nrrd", "/absolute.nrrd", "a/b/c.nrrd"]
)
def test_no_name_leads_out_of_the_folder(name):
    _, opened = post(with_files((name, b"x")))
    assert all(path.parent.parent.name.startswith("samunet-upload-") for path, _, _ in opened)
    assert all(path.name.startswith("00000.") for path, _, _ in opened)


@pytest.mark.parametrize("name", ["a.exe", "a.html", "a.nhdr", "a.mhd", "a.py", ".", ".."])
def test_other_kinds_of_files_are_refused_before_they_are_read(name):
    error, opened = post(with_files((name, b"x")))
    assert error and not opened


@pytest.mark.parametrize("name", ["IM0001", "1.2.840.113619", "scan.DCM", "X.NII.GZ"])
def test_names_of_images_are_known_in_any_case_and_dicom_without_ending(name):
    error, opened = post(with_files((name, b"x")))
    assert error is None and len(opened) == 1


def test_a_form_without_files_is_refused():
    assert "no files" in post(lambda form: b"just bytes")[0]
