"""The catalog of models: what it holds, that it is checked, and that users can add to it."""

import copy
import hashlib
import json
import os
import re
import subprocess
import sys

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.engine.json_schema import problems
from SAMUNetSlicerLib.engine.models import (
    CATALOG_FILE,
    ENGINE_FOLDER,
    SCHEMA_FILE,
    ModelCard,
    load_catalog,
    weights_path,
)
from SAMUNetSlicerLib.errors import InputError

CATALOG = json.loads(CATALOG_FILE.read_text(encoding="utf-8"))
SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def entry(model_id="mine", **changes):
    """A valid entry of a user's own model."""
    return {**copy.deepcopy(CATALOG["models"][0]), "id": model_id, **changes}


def user_file(folder, *entries, **more):
    path = folder / "my models.json"
    path.write_text(json.dumps({"models": list(entries), **more}), encoding="utf-8")
    return path


def test_the_catalog_follows_its_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(CATALOG, SCHEMA)
    assert list(load_catalog().cards) == [model["id"] for model in CATALOG["models"]]


def test_the_default_is_chosen_in_one_line_for_every_kind_of_prompt():
    (line,) = [line for line in CATALOG_FILE.read_text().splitlines() if '"default"' in line]
    catalog = load_catalog()
    assert catalog.default_for("box").id == catalog.default == "samunet_compact"
    assert catalog.default_for("point").id == "samunet_compact"
    assert line.strip() == '"default": "samunet_compact",'


def test_every_weight_that_is_bundled_or_comes_from_a_package_is_verified():
    obtained = {
        card.id: card
        for card in load_catalog().cards.values()
        if any(source.kind in ("package", "bundled") for source in card.sources)
    }
    assert set(obtained) >= {"litemedsam", "mobilesam", "samunet_compact"}
    for model_id, card in obtained.items():
        assert re.fullmatch("[0-9a-f]{64}", card.sha256 or ""), model_id
        assert (card.size_bytes or 0) > 1_000_000, model_id


def test_the_bundled_weights_are_those_of_their_card(tmp_path):
    card = load_catalog().get("samunet_compact")
    path = weights_path(card, tmp_path)
    assert path.parent.parent == ENGINE_FOLDER
    assert path.stat().st_size == card.size_bytes <= 25_000_000
    assert hashlib.sha256(path.read_bytes()).hexdigest() == card.sha256


def test_only_boxes_are_claimed_for_models_trained_on_boxes():
    cards = load_catalog().cards
    trained_on_points = {name for name, card in cards.items() if card.capabilities.points}
    assert {"litemedsam", "medsam_vit_b", "samunet_res34", "samunet_res50"}.isdisjoint(trained_on_points)
    assert {"mobilesam", "sammed2d", "sam_vit_b"} <= trained_on_points


def test_an_unknown_model_is_answered_with_those_there_are():
    with pytest.raises(InputError, match=r"no model 'sam'.*litemedsam, mobilesam"):
        load_catalog().get("sam")


def test_a_card_survives_the_way_to_another_process():
    for card in load_catalog().cards.values():
        sent = json.loads(json.dumps(card.to_json()))
        assert ModelCard.from_json(sent) == card
        jsonschema.validate({"models": [sent]}, SCHEMA)


def test_users_add_their_own_models_and_default(tmp_path):
    path = user_file(tmp_path, entry("mine", title="Mein Modell"), default="mine")
    catalog = load_catalog([path])
    assert catalog.get("mine").title == "Mein Modell"
    assert catalog.default == "mine"
    assert "litemedsam" in catalog.cards


def test_the_default_may_differ_by_the_kind_of_prompt(tmp_path):
    path = user_file(tmp_path, default={"box": "litemedsam", "point": "mobilesam"})
    catalog = load_catalog([path])
    assert catalog.default == "litemedsam"
    assert catalog.default_for("point").id == "mobilesam"


def test_an_id_cannot_be_taken_twice(tmp_path):
    with pytest.raises(InputError, match="'litemedsam' is taken already"):
        load_catalog([user_file(tmp_path, entry("litemedsam"))])


def test_a_default_must_exist(tmp_path):
    with pytest.raises(InputError, match="default 'nothing' is not the id of a model"):
        load_catalog([user_file(tmp_path, default="nothing")])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sha256": "abc"}, r"models\[0\].sha256 must match"),
        ({"sources": []}, r"models\[0\].sources must have at least 1"),
        ({"architecture": "unet"}, r"models\[0\].architecture must be one of"),
        ({"color": "red"}, r"models\[0\].color is not known"),
        ({"size_bytes": True}, r"models\[0\].size_bytes must be of type"),
        ({"file": "../escape.pth"}, r"models\[0\].file must match"),
        ({"sources": [{"kind": "package", "package": "x"}]}, r"sources\[0\].version is missing"),
        ({"input": {"size": 256, "fit": "stretch"}}, r"models\[0\].input.*is missing|fit must be one of"),
    ],
)
def test_a_faulty_card_is_refused_with_its_place(tmp_path, change, sentence):
    with pytest.raises(InputError, match=sentence):
        load_catalog([user_file(tmp_path, entry(**change))])


def test_a_file_that_is_not_json_or_not_there_is_named(tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text('{"models": [')
    with pytest.raises(InputError, match=r"broken.json is not valid JSON"):
        load_catalog([broken])
    with pytest.raises(InputError, match=r"absent.json cannot be read"):
        load_catalog([tmp_path / "absent.json"])


def test_reading_the_catalog_does_not_load_torch(repository):
    environment = {**os.environ, "PYTHONPATH": str(repository / "SAMUNetSlicer")}
    code = (
        "import sys; from SAMUNetSlicerLib.engine.models.cards import load_catalog; load_catalog();"
        " sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2000),
    st.floats(-1, 2),
    st.text(max_size=4),
    st.just([]),
    st.just({}),
)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_the_built_in_checker_judges_as_jsonschema_does(data):
    document = {"models": [entry()], "default": "mine"}
    place = document
    while isinstance(place, (dict, list)) and place:
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(list(keys)))
        if not isinstance(place[key], (dict, list)) or data.draw(st.booleans()):
            break
        place = place[key]
    if isinstance(place, (dict, list)) and place:
        if data.draw(st.booleans()):
            place[key] = data.draw(VALUES)
        else:
            del place[key]
    ours = not list(problems(document, SCHEMA, SCHEMA, "file"))
    assert ours == jsonschema.Draft202012Validator(SCHEMA).is_valid(document)


def test_a_keyword_the_checker_does_not_know_is_an_error_not_a_pass():
    with pytest.raises(NotImplementedError, match="uniqueItems"):
        list(problems([1], {"uniqueItems": True}, {}, "file"))
