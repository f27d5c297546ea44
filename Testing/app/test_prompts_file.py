"""The prompts file: what it says is what comes out, and every fault is named with its place."""

import copy
import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.prompts import (
    SCHEMA_FILE,
    BoxPrompt,
    PointPrompt,
    parsePrompts,
    promptProblems,
    readPromptsFile,
)
from SAMUNetSlicerLib.engine.windowing import MODES, WindowSetting
from SAMUNetSlicerLib.errors import InputError, PromptError

VALID = {
    "version": 1,
    "window": {"mode": "manual", "lower": -160, "upper": 240},
    "segments": [
        {
            "name": "Leber ü",
            "color": "#ff8000",
            "terminology": {
                "category": ["SCT", "123037004", "Anatomical Structure"],
                "type": ["SCT", "10200004", "Liver"],
            },
            "planes": [
                {
                    "plane": {"orientation": "axial", "offset": -12.5},
                    "points": [
                        {"ras": [1, 2, -12.5], "label": "positive"},
                        {"ras": [3, 4, -12.5], "label": 0},
                    ],
                    "boxes": [{"ras": [[0, 0, -12.5], [9, 9, -12.5]]}],
                },
                {"plane": {"axis": "K", "index": 4}, "boxes": [{"ijk": [[1, 2, 4], [5, 6, 4]]}]},
            ],
        },
        {
            "name": "Niere",
            "planes": [
                {
                    "plane": {"origin": [0, 0, 0], "normal": [1, 1, 0], "up": [0, 0, 1]},
                    "points": [{"ijk": [1, 2, 3], "label": 1}],
                }
            ],
        },
    ],
}
SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def changed(path, value):
    """VALID with one place replaced, or removed where ``value`` is None."""
    document = copy.deepcopy(VALID)
    *parents, last = path
    place = document
    for key in parents:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


def test_everything_that_the_file_says_comes_out(tmp_path):
    path = tmp_path / "meine Prompts ü.json"
    path.write_text(json.dumps(VALID, ensure_ascii=False), encoding="utf-8")
    prompts = readPromptsFile(path)
    liver, kidney = prompts.segments
    assert prompts.window == WindowSetting("manual", -160, 240)
    assert (liver.name, liver.color) == ("Leber ü", (1.0, 128 / 255, 0.0))
    assert liver.terminology["type"] == ("SCT", "10200004", "Liver")
    assert (kidney.color, kidney.terminology) == (None, None)
    axial, voxels = liver.planes
    assert axial.plane == {"orientation": "axial", "offset": -12.5}
    assert axial.points == (
        PointPrompt((1.0, 2.0, -12.5), "ras", True),
        PointPrompt((3.0, 4.0, -12.5), "ras", False),
    )
    assert axial.boxes == (BoxPrompt(((0.0, 0.0, -12.5), (9.0, 9.0, -12.5)), "ras"),)
    assert voxels.boxes == (BoxPrompt(((1.0, 2.0, 4.0), (5.0, 6.0, 4.0)), "ijk"),)
    assert kidney.planes[0].points == (PointPrompt((1.0, 2.0, 3.0), "ijk", True),)


PLANE = ("segments", 0, "planes", 0)
FAULTS = [
    (("version",), 2, "p.version must be one of 1, not 2"),
    (("segments",), [], "p.segments must have at least 1 entries"),
    (("window",), {"mode": "percentil"}, "p.window.mode"),
    (("window", "upper"), None, "p.window.upper is missing"),
    (("window", "upper"), -200, "p.window.lower must be less than upper"),
    (("segments", 0, "color"), "red", r"p.segments\[0\].color"),
    (("segments", 0, "shade"), "#ff0000", r"p.segments\[0\].shade is not known"),
    (("segments", 0, "terminology", "type"), ["SCT", "1"], r"terminology.type must have at least 3 entries"),
    (("segments", 0, "terminology", "type"), ["SCT", "1", "a^b"], r"terminology.type\[2\]"),
    (("segments", 1, "name"), "Leber ü", "names 'Leber ü' twice"),
    ((*PLANE, "plane", "orientation"), "axal", r"planes\[0\].plane.orientation must be one of axial"),
    ((*PLANE, "plane"), {"axis": "K", "offset": 3.0}, r"planes\[0\].plane"),
    ((*PLANE, "plane"), {"axis": "K", "index": -1}, "index must be at least 0"),
    ((*PLANE, "plane"), {"sliceToRAS": [1, 0, 0]}, "sliceToRAS must have at least 16 entries"),
    ((*PLANE, "points", 1, "label"), "maybe", r"points\[1\].label must be one of positive, negative"),
    ((*PLANE, "points", 1, "label"), True, r"points\[1\].label"),
    ((*PLANE, "points", 0, "ras"), [1, 2], r"points\[0\].ras must have at least 3 entries"),
    ((*PLANE, "points", 0, "ras"), [1, 2, "x"], r"points\[0\].ras\[2\] must be of type number"),
    ((*PLANE, "points", 0, "ras"), [1, 2, 10**400], r"points\[0\].ras\[2\] must be at most"),
    ((*PLANE, "boxes", 0, "ras"), [[0, 0, 0]], r"boxes\[0\].ras must have at least 2 entries"),
    ((*PLANE, "boxes", 0, "ras", 0), [0, 0, True], r"boxes\[0\].ras\[0\]\[2\] must be of type number"),
    ((*PLANE, "boxes", 0), {"ijk": [[0, 0, 0], [0, 0, 1e308]]}, r"boxes\[0\].ijk\[1\]\[2\] must be at most"),
    ((*PLANE, "boxes", 0), {"ijk": True}, r"boxes\[0\].ijk must be of type array"),
    (("segments", 0, "name"), "x" * 1_000_000, r"segments\[0\].name must have at most 256 characters"),
    (("segments", 0, "name"), "red\x1b[31m", r"segments\[0\].name must match"),
    (("segments", 0, "name"), "two\n", r"segments\[0\].name must match"),
    (("segments", 0, "color"), "x" * 1_000_000, r"color must match .{,150}$"),
    (("segments", 1, "planes", 0, "points", 0, "label"), "negative", r"segments\[1\] says only what is not"),
    (("segments", 1, "planes", 0, "points"), None, r"segments\[1\].planes\[0\] has neither points nor boxes"),
]


@pytest.mark.parametrize(("path", "value", "sentence"), FAULTS)
def test_a_fault_is_named_with_its_place(path, value, sentence):
    with pytest.raises(PromptError, match=sentence):
        parsePrompts(changed(path, value), "p")


@pytest.mark.parametrize("text", ["", "{", "[1, 2", '{"version": NaN}', "[" * 100_000])
def test_text_that_is_no_json_is_one_sentence(tmp_path, text):
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(PromptError, match=r"p\.json is not valid JSON"):
        readPromptsFile(tmp_path / "p.json")


@pytest.mark.parametrize("levels", [200, 900, 950, 985, 995, 1000, 5000])
def test_nesting_of_any_depth_is_one_sentence(tmp_path, levels):
    for text in ("[" * levels + "]" * levels, '{"a":' * levels + "1" + "}" * levels):
        (tmp_path / "p.json").write_text(text)
        with pytest.raises(PromptError, match=r"p\.json is not valid JSON: it is nested too deeply\.$"):
            readPromptsFile(tmp_path / "p.json")


@pytest.mark.parametrize("place", ["name", "code", "unknown"])
def test_half_a_character_is_refused_wherever_it_is(tmp_path, place):
    document = copy.deepcopy(VALID)
    if place == "name":
        document["segments"][0]["name"] = "\ud800"
    elif place == "code":
        document["segments"][0]["terminology"]["type"][2] = "\udfff"
    else:
        document["\ud83d"] = 1
    (tmp_path / "p.json").write_text(json.dumps(document))
    with pytest.raises(PromptError, match="half a character"):
        readPromptsFile(tmp_path / "p.json")


def test_the_first_fault_in_the_file_is_named_whatever_the_hash_seed():
    document = {**VALID, **{f"unknown{n}": n for n in range(50)}}
    assert next(promptProblems(document, "p")) == "p.unknown0 is not known"
    document = copy.deepcopy(VALID)
    document["segments"][0].update(name=1, color=2, terminology=3, propagate=4, planes=5)
    names = [problem.split()[0].rpartition(".")[2] for problem in promptProblems(document, "p")]
    assert names == ["name", "color", "terminology", "propagate", "planes"]


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "p.json").write_text(json.dumps(VALID), encoding="utf-8-sig")
    assert readPromptsFile(tmp_path / "p.json").segments[0].name == "Leber ü"


def test_a_file_that_cannot_be_read_is_an_input_error(tmp_path):
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\xfa")
    for path in (tmp_path / "absent.json", tmp_path, tmp_path / "binary.json"):
        with pytest.raises(InputError, match="cannot be read"):
            readPromptsFile(path)


def test_the_schema_offers_every_window_there_is():
    by_name, manual = (option["properties"]["mode"]["enum"] for option in SCHEMA["$defs"]["window"]["oneOf"])
    assert {*by_name, *manual} == set(MODES)


def test_without_a_window_the_volume_decides():
    assert parsePrompts(changed(("window",), None)).window == WindowSetting("auto")


def test_the_schema_is_a_valid_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def _places(value, path=()):
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, (dict, list)):
            yield from _places(item, (*path, key))
        else:
            yield (*path, key)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 20),
    st.floats(-1e7, 1e7),
    st.sampled_from(["positive", "axial", "K", "manual", "preset:lung", "#00ff00", ""]),
    st.lists(st.integers(0, 3), max_size=4),
    st.dictionaries(st.sampled_from(["ras", "ijk", "label", "axis", "index", "mode"]), st.integers(0, 5)),
)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([place for place in _places(VALID) if place]), JUNK)
def test_the_program_and_any_schema_validator_agree(path, value):
    document = changed(path, value)
    by_package = jsonschema.Draft202012Validator(SCHEMA).is_valid(document)
    by_program = not list(promptProblems(document, "p"))
    contradicts_itself = by_package and not by_program
    assert by_program == by_package or contradicts_itself
    if contradicts_itself:
        assert _says_something_no_schema_can_say(document)


def _says_something_no_schema_can_say(document):
    names = [segment["name"] for segment in document["segments"]]
    planes = [plane for segment in document["segments"] for plane in segment["planes"]]
    window = document.get("window", {})
    return (
        len(set(names)) < len(names)
        or any(not plane.get("points") and not plane.get("boxes") for plane in planes)
        or any(map(_says_only_what_it_is_not, document["segments"]))
        or window.get("lower", 0) >= window.get("upper", 1)
    )


def _says_only_what_it_is_not(segment):
    points = [point for plane in segment["planes"] for point in plane.get("points", ())]
    return all(point["label"] in ("negative", 0) for point in points) and not any(
        plane.get("boxes") for plane in segment["planes"]
    )


def test_fractions_and_propagation_are_understood():
    document = copy.deepcopy(VALID)
    first, second = document["segments"]
    first["planes"] = [
        {
            "plane": {"orientation": "coronal", "fraction": 0.25},
            "points": [{"fraction": [0.5, 0.25, 0.5], "label": 1}],
            "boxes": [{"fraction": [[0.1, 0.25, 0.2], [0.9, 0.25, 0.8]]}],
        }
    ]
    first["propagate"], second["propagate"] = True, {"direction": "up", "minDice": 0.6}
    liver, kidney = parsePrompts(document).segments
    assert liver.planes[0].points == (PointPrompt((0.5, 0.25, 0.5), "fraction", True),)
    assert liver.planes[0].boxes[0].space == "fraction"
    assert (liver.propagation, kidney.propagation) == ({}, {"direction": "up", "minDice": 0.6})
    assert parsePrompts(VALID).segments[0].propagation is None
    first["planes"][0]["plane"]["fraction"] = 1.5
    with pytest.raises(PromptError, match=r"plane.*must be at most 1"):
        parsePrompts(document)


def test_axes_are_for_propagation_and_not_for_filling():
    document = copy.deepcopy(VALID)
    options = document["segments"][0]["propagate"] = {"axes": ["axial", "J"], "fusion": "mean"}
    assert parsePrompts(document).segments[0].propagation == options
    options["method"] = "fill"
    with pytest.raises(PromptError, match=r"segments\[0\]\.propagate has axes, which only"):
        parsePrompts(document)
    document["segments"][0]["propagate"] = {"axes": ["X"]}
    with pytest.raises(PromptError, match="X"):
        parsePrompts(document)
