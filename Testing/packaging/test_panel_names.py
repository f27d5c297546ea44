"""The Designer file and the code that uses it know the same widgets, actions and icons."""

import ast
import xml.etree.ElementTree as ET

from source_tree import LIBRARY, MODULE, tree_of

DESIGNER = ET.parse(MODULE / "Resources" / "UI" / "SAMUNetSlicer.ui")
PANEL_FILES = sorted((LIBRARY / "ui").rglob("*.py"))

# Frames that only hold others, and texts that never change.
SILENT = {"SAMUNetSlicer", "statusFrame", "progressFrame", "toLabel", "selfCheckPlace"}


def widgets():
    """Elements of the widgets by name; labels of other widgets and silent ones left out."""
    found = {element.get("name"): element for element in DESIGNER.iter("widget")}
    return {name: e for name, e in found.items() if name not in SILENT and property_of(e, "buddy") is None}


def property_of(element, name):
    return next((entry for entry in element.findall("property") if entry.get("name") == name), None)


def names_in_code():
    """X of every ``ui.X`` and ``self._ui.X``."""
    nodes = [node for path in PANEL_FILES for node in ast.walk(tree_of(path))]
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    return {node.attr for node in attributes if _last_name(node.value) in ("ui", "_ui")}


def _last_name(node):
    return getattr(node, "attr", None) or getattr(node, "id", None)


def test_every_widget_that_the_code_uses_is_in_the_designer_file():
    assert names_in_code() <= set(widgets())


def test_every_widget_of_the_designer_file_is_used_by_the_code():
    unused = set(widgets()) - names_in_code()
    assert {name for name in unused if not name.endswith("Section")} == set()


def test_every_class_beyond_qt_is_declared_with_its_header():
    declared = {entry.findtext("class"): entry.findtext("header") for entry in DESIGNER.iter("customwidget")}
    used = {e.get("class") for e in DESIGNER.iter("widget") if not e.get("class").startswith("Q")}
    assert set(declared) == used
    assert all(header == f"{name}.h" for name, header in declared.items())


def test_widgets_that_show_nodes_follow_the_scene_of_the_panel():
    followers = {entry.findtext("receiver") for entry in DESIGNER.iter("connection")}
    shown = {
        name
        for name, e in widgets().items()
        if e.get("class") in ("qMRMLNodeComboBox", "qMRMLSegmentsTableView")
    }
    assert followers == shown


def test_everything_the_user_can_operate_has_a_tool_tip():
    operated = (
        "QPushButton",
        "QToolButton",
        "QComboBox",
        "QSpinBox",
        "QDoubleSpinBox",
        "QCheckBox",
        "qMRMLNodeComboBox",
    )
    silent = [
        name
        for name, e in widgets().items()
        if e.get("class") in operated and property_of(e, "toolTip") is None
    ]
    assert not silent


def test_widgets_that_code_hides_are_not_direct_children_of_a_section():
    """Opening a ctkCollapsibleButton shows all its children."""
    sections = [e for e in DESIGNER.iter("widget") if e.get("class") == "ctkCollapsibleButton"]
    children = {e.get("name") for section in sections for e in section.findall("layout/item/widget")}
    assert not children & set(_hidden_in_code())


def _hidden_in_code():
    nodes = [node for path in PANEL_FILES for node in ast.walk(tree_of(path))]
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr == "visible" and isinstance(node.ctx, ast.Store):
            yield _last_name(node.value)


def test_texts_that_name_files_and_nodes_are_plain():
    """Qt would take a "<" in them for the beginning of a tag."""
    labels = [e for e in widgets().values() if e.get("class") == "QLabel"]
    formats = {e.get("name"): property_of(e, "textFormat") for e in labels}
    assert formats
    assert not [name for name, entry in formats.items() if entry is None]


def test_names_are_unique():
    names = [
        element.get("name") for kind in ("widget", "layout", "spacer") for element in DESIGNER.iter(kind)
    ]
    assert len(names) == len(set(names))
