from pathlib import Path

import pytest

from SAMUNetSlicerLib.app.common import folders
from SAMUNetSlicerLib.platforms import platformOf


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, ".local/share/SAMUNetSlicer"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/SAMUNetSlicer"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "Library/Application Support/SAMUNetSlicer"),
        ("win32", {}, "AppData/Local/SAMUNetSlicer"),
        ("win32", {"LOCALAPPDATA": "/users/a/local"}, "/users/a/local/SAMUNetSlicer"),
    ],
)
def test_the_home_folder_is_where_the_system_keeps_a_users_data(monkeypatch, platform, variables, expected):
    for name in ("SAMUNET_HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(folders, "PLATFORM", platformOf(platform))
    assert folders.homeFolder() == Path.home() / expected


def test_the_environment_overrides_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("SAMUNET_HOME", str(tmp_path))
    assert folders.weightsFolder() == tmp_path / "weights"
    assert folders.cacheFolder() == tmp_path / "cache"
