"""``samunet view`` where it cannot work: every failure is one sentence and a number."""

import sys

from SAMUNetSlicerLib.cli.main import main


def test_without_the_viewers_packages_a_sentence_says_how_to_get_them(monkeypatch, capsys, repository):
    # What Python does where the package is not installed.
    monkeypatch.setitem(sys.modules, "trame_slicer", None)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    volume = repository / "Resources" / "SampleData" / "ts_ct3mm.nii.gz"
    assert main(["view", str(volume), "--no-browser"]) == 3
    said = capsys.readouterr().err
    assert "pip install" in said and "view" in said
    assert "Traceback" not in said


def test_it_listens_on_this_computer_unless_told_otherwise(capsys):
    try:
        main(["view", "--help"])
    except SystemExit as end:
        assert end.code == 0
    assert "by default this computer only" in " ".join(capsys.readouterr().out.split())
