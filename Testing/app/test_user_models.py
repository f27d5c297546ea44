import json

import pytest

from SAMUNetSlicerLib.app.models import catalog, forgetModel, isOwnModel, registerModel, userCatalogFile
from SAMUNetSlicerLib.engine.models import load_catalog
from SAMUNetSlicerLib.errors import InputError, OutputError
from training.corpora import compact_card


def _entry(**changes):
    return compact_card(**changes).to_json()


def test_without_models_of_their_own_the_user_sees_the_products():
    assert catalog().cards == load_catalog().cards


def test_a_registered_model_stands_beside_the_products_and_defaults_stay():
    registerModel(_entry())
    assert catalog().get("compact_test").title == "Compact SAM-UNet"
    assert set(load_catalog().cards) < set(catalog().cards)
    assert catalog().defaults == load_catalog().defaults


def test_registering_the_same_id_again_replaces_the_card():
    registerModel(_entry())
    registerModel(_entry(id="another"))
    registerModel(_entry(title="Newer"))
    assert catalog().get("compact_test").title == "Newer"
    assert len(json.loads(userCatalogFile().read_text(encoding="utf-8"))["models"]) == 2


def test_a_damaged_file_is_named():
    userCatalogFile().write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="models"):
        catalog()
    with pytest.raises(InputError, match="models"):
        registerModel(_entry())


def test_an_unwritable_home_is_said_so(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SAMUNET_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(OutputError):
        registerModel(_entry())


def test_registering_a_model_keeps_the_default_that_the_user_chose():
    registerModel(_entry())
    document = json.loads(userCatalogFile().read_text(encoding="utf-8"))
    document["default"] = "compact_test"
    userCatalogFile().write_text(json.dumps(document), encoding="utf-8")
    registerModel(_entry(id="another"))
    assert catalog().defaults["box"] == "compact_test"


def test_an_entry_that_is_refused_leaves_nothing_behind(private_home):
    with pytest.raises(InputError):
        registerModel({**_entry(), "architecture": "unknown"})
    assert not any(private_home.iterdir())


def test_a_forgotten_model_is_gone_and_the_others_stay():
    registerModel(_entry())
    registerModel(_entry(id="another"))
    forgetModel("compact_test")
    assert not isOwnModel("compact_test") and isOwnModel("another")
    assert "another" in catalog().cards


def test_the_products_models_are_not_the_users_own():
    assert not any(map(isOwnModel, load_catalog().cards))
