"""The page about a batch says what is true, the worst first, and shows names as text whatever is in them."""

from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from SAMUNetSlicerLib.app.batch import report, writeReport
from SAMUNetSlicerLib.app.jobs import CaseRecord, SegmentResult, SliceResult
from SAMUNetSlicerLib.errors import OutputError
from scene.small_disk import mounted

FACTS = {"model": {"id": "<i>net</i>"}, "devices": ["cpu", "cuda:0"]}
EVIL = "<script>alert(\"x\")</script> & 'ü'"
_VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Tags, attributes and text; raises when tags are not closed in order."""

    def __init__(self, path):
        super().__init__()
        self.open, self.tags, self.images, self.links, self.text = [], [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        values = dict(attributes)
        if tag == "img":
            self.images.append((values["src"], values["alt"]))
        if tag == "a":
            self.links.append(values["href"])
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)


def case(folder, name, confidences, state="done", **more):
    """A finished case with a picture for each slice."""
    slices = []
    for number, confidence in enumerate(confidences):
        picture = f"slices/{number}.jpg"
        (folder / name / "slices").mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), 40 * number, np.uint8)).save(folder / name / picture)
        slices.append(SliceResult("Liver", f"axial {number}", "K", number, confidence, 9, picture=picture))
    segment = SegmentResult("Liver", 10, 12.345, min(confidences, default=None), len(slices))
    seconds = {"load": 1.0, "segment": 70.0, "write": 0.5, "engine": 60.0}
    return CaseRecord(
        name, f"/data/{name}", state, segments=(segment,), slices=tuple(slices), seconds=seconds, **more
    )


def test_numbers_states_and_reasons_are_told(tmp_path):
    records = [
        case(tmp_path, "good", [0.95, 0.9]),
        case(tmp_path, "odd", [0.4], "needs review", reasons=("1 of 1 slices is odd.",)),
        CaseRecord("bad", "/data/bad", "failed", "It is damaged.", "InputError"),
        CaseRecord("later", "/data/later"),
    ]
    text = " ".join(Page(writeReport(tmp_path, records, FACTS)).text)
    for words in ("4 images segmented by <i>net</i>", "It is damaged.", "1 of 1 slices is odd.", "12.35"):
        assert words in text
    assert "1 min 12 s" in text and "2 min 00 s" in text
    order = [text.rindex(f"/data/{name}") for name in ("bad", "odd", "good", "later")]
    assert order == sorted(order)


def test_the_least_certain_slices_of_all_cases_come_first(tmp_path):
    records = [case(tmp_path, "a", [0.9, 0.3]), case(tmp_path, "b", [0.2, 0.95])]
    page = Page(writeReport(tmp_path, records, FACTS))
    expected = ["b: Liver, axial 0", "a: Liver, axial 1", "a: Liver, axial 0", "b: Liver, axial 1"]
    assert [alt for _, alt in page.images[:4]] == expected
    assert all(source.startswith("data:image/jpeg;base64,") for source, _ in page.images)


def test_names_are_shown_as_text_and_never_as_markup(tmp_path):
    harmless = case(tmp_path, "x", [0.5])
    record = CaseRecord(
        EVIL.replace("/", ""),
        EVIL,
        "needs review",
        reasons=(EVIL,),
        segments=(SegmentResult(EVIL, 1, 1.0, 0.5, 1),),
        slices=(SliceResult(EVIL, EVIL, None, None, 0.5, 1, picture="slices/1.jpg"),),
    )
    page = Page(writeReport(tmp_path, [harmless, record], FACTS))
    assert "script" not in page.tags
    assert EVIL in page.text
    assert all("<" not in link and '"' not in link for link in page.links)


def test_pictures_beyond_the_limit_stay_files_beside_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "_EMBEDDED", 2)
    records = [case(tmp_path, "ä 1", [0.1, 0.2, 0.3])]
    sources = [source for source, _ in Page(writeReport(tmp_path, records, FACTS)).images]
    assert [source.startswith("data:") for source in sources] == [True, True, False, True]
    assert sources[2] == "%C3%A4%201/slices/2.jpg"


def test_a_lost_picture_is_a_link_and_no_failure(tmp_path):
    record = case(tmp_path, "a", [0.1])
    (tmp_path / "a" / "slices" / "0.jpg").unlink()
    assert Page(writeReport(tmp_path, [record], FACTS)).images[0][0] == "a/slices/0.jpg"


@pytest.mark.parametrize("records", [[], [CaseRecord("a", "/a")]])
def test_a_batch_without_results_has_a_page(tmp_path, records):
    page = Page(writeReport(tmp_path, records, FACTS))
    assert not page.images and "done" in " ".join(page.text)


def test_the_page_needs_nothing_from_elsewhere_and_suits_a_dark_screen(tmp_path):
    text = writeReport(tmp_path, [case(tmp_path, "a", [0.1])], FACTS).read_text(encoding="utf-8")
    assert "http" not in text and "url(" not in text
    assert "prefers-color-scheme: dark" in text and "color-scheme: light dark" in text


def test_a_full_disk_leaves_no_half_of_a_page(tmp_path):
    with mounted(tmp_path / "small", "size=4k") as folder:
        records = [CaseRecord(f"case {number}", "/data", "failed", "It is damaged.") for number in range(99)]
        with pytest.raises(OutputError, match="is full"):
            writeReport(folder, records, FACTS)
        assert list(folder.iterdir()) == []
