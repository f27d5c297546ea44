import json

import pytest

from SAMUNetSlicerLib.app.userModels import catalogue, registerModel, userCatalogueFile
from SAMUNetSlicerLib.engine.cards import load_catalogue
from SAMUNetSlicerLib.errors import InputError, OutputError
from training.corpora import compact_card


def _entry(**changes):
    return compact_card(**changes).to_json()


def test_without_models_of_their_own_the_user_sees_the_products():
    assert catalogue().cards == load_catalogue().cards


def test_a_registered_model_stands_beside_the_products_and_defaults_stay():
    registerModel(_entry())
    assert catalogue().get("compact_test").title == "Compact SAM-UNet"
    assert set(load_catalogue().cards) < set(catalogue().cards)
    assert catalogue().defaults == load_catalogue().defaults


def test_registering_the_same_id_again_replaces_the_card():
    registerModel(_entry())
    registerModel(_entry(id="another"))
    registerModel(_entry(title="Newer"))
    assert catalogue().get("compact_test").title == "Newer"
    assert len(json.loads(userCatalogueFile().read_text(encoding="utf-8"))["models"]) == 2


def test_a_damaged_file_is_named():
    userCatalogueFile().write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="models"):
        catalogue()
    with pytest.raises(InputError, match="models"):
        registerModel(_entry())


def test_an_unwritable_home_is_said_so(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SAMUNET_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(OutputError):
        registerModel(_entry())
