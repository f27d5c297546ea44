"""Files from the browser: opened, or refused with a sentence, and kept where they belong."""

import numpy as np
import pytest
import SimpleITK as sitk

from viewer.test_prompting import segment
from viewer.viewing import OTHER, VOLUME, Page, ViewerProcess


def upload(page, *paths):
    """Choose files in the dialog; return what it says about them, "" if it closes."""
    page.press("open")
    page.page.evaluate("window.trame.state.set('openError', '')")
    page.page.locator("#upload").set_input_files([str(path) for path in paths])
    said = page.page.locator("#open-error")
    page.wait(lambda: not page.page.locator("#upload").is_visible() or said.count(), "nothing happens")
    text = said.inner_text() if said.count() else ""
    page.page.keyboard.press("Escape")
    page.wait(lambda: not page.page.locator("#upload").is_visible(), "the dialog stays")
    return text


def uploads(viewer):
    """Folders in which this viewer keeps uploads."""
    return [path for path in viewer.temporary.glob("samunet-upload-*/*") if path.is_dir()]


def test_an_uploaded_volume_is_shown_and_can_be_segmented(page, viewer):
    picture = page.picture("Red")
    assert upload(page, OTHER) == ""
    page.wait(lambda: page.text("open").strip() == "ts_mr3mm", "it is not opened")
    page.settle()
    assert (page.picture("Red") != picture).mean() > 0.3
    segment(page)
    assert len(uploads(viewer)) == 1


def test_the_files_of_a_dicom_series_are_one_volume(page, tmp_path):
    voxels = np.arange(4 * 32 * 48, dtype=np.int16).reshape(4, 32, 48)
    write_series(voxels, tmp_path)
    assert upload(page, *sorted(tmp_path.iterdir())) == ""
    page.wait(lambda: page.text("open").strip() == "IM0", "it is not opened")


def test_a_damaged_file_is_refused_with_a_sentence_and_the_volume_stays(page, tmp_path, viewer):
    damaged = tmp_path / "damaged.nii.gz"
    damaged.write_bytes(VOLUME.read_bytes()[:20000])
    picture = page.picture("Red")
    said = upload(page, damaged)
    assert said.startswith("'damaged.nii.gz' is damaged") and said.endswith(".")
    page.settle()
    assert (page.picture("Red") == picture).all()
    assert page.text("open").strip() == "ts_ct3mm"


def test_a_file_that_is_no_image_is_refused_by_its_name(page, tmp_path):
    program = tmp_path / "program.exe"
    program.write_bytes(b"MZ")
    assert "not an image file" in upload(page, program)


def test_what_is_too_large_is_refused_before_it_is_sent(page, viewer):
    most = page.state("mostBytes")
    assert most == 4 << 30
    page.setState("mostBytes", 1000)
    assert "larger than" in upload(page, OTHER)
    page.setState("mostBytes", most)
    assert page.text("open").strip() == "ts_ct3mm"


@pytest.mark.parametrize("name", ["stolen.nrrd", "stolen.mha"])
def test_a_header_that_points_at_other_files_is_refused(page, tmp_path, name):
    secret = tmp_path / "secret.raw"
    secret.write_bytes(bytes(1000))
    path = tmp_path / name
    if name.endswith("nrrd"):
        lines = ["NRRD0004", "type: uchar", "dimension: 3", "sizes: 10 10 10", "encoding: raw"]
        path.write_text("\n".join([*lines, f"data file: {secret}", ""]))
    else:
        lines = ["ObjectType = Image", "NDims = 3", "DimSize = 10 10 10", "ElementType = MET_UCHAR"]
        path.write_text("\n".join([*lines, f"ElementDataFile = {secret}", ""]))
    assert "other files" in upload(page, path)


def test_a_path_that_is_not_there_is_refused_with_a_sentence(page):
    page.open("/no/such/file.nrrd")
    page.wait(lambda: page.isVisible("open-error"), "nothing is said")
    assert "There is no file" in page.text("open-error")
    page.page.keyboard.press("Escape")
    page.wait(lambda: not page.page.locator("#path").is_visible(), "the dialog stays")
    assert page.text("open").strip() == "ts_ct3mm"


def test_names_from_the_browser_lead_nowhere(viewer, page):
    """Names that a real browser would not send, but anybody with the token could."""
    script = """async () => {
      const form = new FormData();
      form.append('file', new File([new Uint8Array(10)], '../../../../tmp/escaped.nrrd'));
      return await (await fetch('upload', {method: 'POST', body: form})).json();
    }"""
    assert "damaged" in page.page.evaluate(script)["error"]
    assert not list(viewer.temporary.rglob("*escaped*"))


def test_uploads_are_gone_when_the_viewer_has_ended(tmp_path, new_tab):
    viewer = ViewerProcess(tmp_path / "home")
    page = Page(new_tab(), viewer.address)
    assert upload(page, OTHER) == ""
    assert uploads(viewer)
    page.page.close()
    assert viewer.stop() == 0
    assert not list(viewer.temporary.glob("samunet-*"))


def write_series(voxels, folder):
    """Write voxels (k, j, i) as DICOM files without endings."""
    image = sitk.GetImageFromArray(voxels)
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.KeepOriginalImageUIDOn()
    for number in range(len(voxels)):
        piece = image[:, :, number]
        values = {"0008|0060": "CT", "0020|000e": "1.2.3.4", "0020|0013": str(number)}
        values.update({"0020|0032": f"0\\0\\{number}", "0020|0037": "1\\0\\0\\0\\1\\0"})
        for key, value in values.items():
            piece.SetMetaData(key, value)
        writer.SetFileName(str(folder / f"IM{number}.dcm"))
        writer.Execute(piece)
