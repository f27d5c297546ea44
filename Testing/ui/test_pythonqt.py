"""The stand-in refuses what PythonQt refuses: otherwise the panel's tests would prove nothing."""

import functools
from pathlib import Path

import numpy as np
import pytest

from ui import pythonqt


@pytest.fixture
def qt(application):
    import qt

    return qt


def test_a_property_is_a_value_and_not_a_method(qt):
    button = qt.QPushButton("Go")
    assert button.text == "Go"
    with pytest.raises(TypeError):
        button.text()


def test_an_unknown_attribute_can_neither_be_read_nor_set(qt):
    button = qt.QPushButton("Go")
    with pytest.raises(AttributeError, match="enbled"):
        button.enbled = True
    with pytest.raises(AttributeError, match="txt"):
        _ = button.txt


def test_getter_and_setter_of_a_property_are_not_there_unless_they_are_slots(qt):
    button = qt.QPushButton("Go")
    button.setEnabled(False)  # a slot
    assert not button.enabled
    for name in ("isEnabled", "isChecked", "setToolTip"):
        with pytest.raises(AttributeError):
            getattr(button, name)


def test_a_read_only_property_cannot_be_set(qt):
    with pytest.raises(AttributeError, match="read-only"):
        qt.QTimer().active = True


def test_a_signal_is_connected_by_its_signature(qt):
    heard = []
    button = qt.QPushButton("Go")
    button.connect("clicked()", lambda: heard.append("nothing"))
    button.connect("clicked(bool)", heard.append)
    button.click()
    assert heard == ["nothing", False]


def test_a_signal_that_does_not_exist_is_refused(qt):
    with pytest.raises(AttributeError, match="no signal"):
        qt.QPushButton("Go").connect("pushed()", print)


def test_a_slot_gets_no_more_values_than_it_takes(qt):
    heard = []
    box = qt.QSpinBox()
    box.connect("valueChanged(int)", lambda: heard.append("changed"))
    box.value = 3
    assert heard == ["changed"]


class Counter:
    def __init__(self):
        self.heard = []

    def __call__(self, *values):
        self.heard.append(values)

    def nothing(self):
        self()

    def one(self, value=None):
        self(value)


def test_a_slot_that_is_no_python_function_gets_all_values(qt):
    counter = Counter()
    button = qt.QPushButton("Go")
    slots = [counter.nothing, counter.one, counter, functools.partial(counter.nothing), lambda: counter(7)]
    for slot in slots:
        button.connect("clicked(bool)", slot)
    button.click()
    assert counter.heard == [(), (False,), (False,), (7,)]
    (error,) = pythonqt.slot_errors
    assert isinstance(error, TypeError)  # the partial got a value that it has no place for
    pythonqt.slot_errors.clear()


def test_a_slot_that_raises_is_noted(qt):
    button = qt.QPushButton("Go")
    button.connect("clicked()", lambda: 1 / 0)
    button.click()
    (error,) = pythonqt.slot_errors
    assert isinstance(error, ZeroDivisionError)
    pythonqt.slot_errors.clear()


def test_a_disconnected_slot_is_not_called(qt):
    heard = []
    button = qt.QPushButton("Go")
    button.connect("clicked(bool)", heard.append)
    button.disconnect("clicked(bool)", heard.append)
    button.click()
    assert not heard


def test_a_stand_in_offers_only_what_its_header_declares(application):
    import ctk

    section = ctk.ctkCollapsibleButton()
    assert section.collapsed is False
    with pytest.raises(AttributeError):
        section.childEvent(None)
    for name in ("box", "currentNodeChnaged"):
        with pytest.raises(AttributeError, match=name):
            getattr(ctk.qMRMLNodeComboBox(), name)


def test_a_node_is_chosen_as_an_object_or_by_the_slot_for_ids(bench):
    selector = bench.ui.volumeSelector
    with pytest.raises(TypeError, match="VTK object"):
        selector.setCurrentNode(bench.volume.GetID())
    selector.setCurrentNode(None)
    selector.setCurrentNodeID(bench.volume.GetID())
    assert selector.currentNode() is bench.volume


def test_an_object_that_qt_has_deleted_can_be_neither_read_nor_set_nor_called(qt):
    import shiboken6

    button = qt.QPushButton("Go")
    click = button.click
    shiboken6.delete(button.pyside)
    with pytest.raises(ValueError, match="destroyed"):
        _ = button.text
    with pytest.raises(AttributeError, match="destroyed"):
        button.text = "Stop"
    with pytest.raises(ValueError, match="destroyed"):
        click()


def test_a_property_does_not_take_none(qt):
    with pytest.raises(AttributeError, match="does not accept None"):
        qt.QPushButton("Go").toolTip = None


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("QLabel", "text", 5),
        ("QLabel", "text", Path("folder")),
        ("QSpinBox", "value", "3"),
        ("QSpinBox", "value", 2.5),
        ("QSpinBox", "value", np.float64(3)),
        ("QSpinBox", "value", np.bool_(True)),
        ("QDoubleSpinBox", "value", "0.5"),
        ("QPushButton", "icon", "icon.svg"),
    ],
)
def test_a_property_takes_only_values_of_its_type(qt, kind, name, value):
    with pytest.raises(AttributeError, match="does not accept"):
        setattr(getattr(qt, kind)(), name, value)


def test_numbers_of_numpy_are_numbers(qt):
    spin, double = qt.QSpinBox(), qt.QDoubleSpinBox()
    spin.value, double.value = np.int64(3), np.float32(0.5)
    assert (spin.value, double.value) == (3, 0.5)


@pytest.mark.parametrize("make", [iter, set, lambda texts: dict.fromkeys(texts).keys()])
def test_texts_are_a_list_or_a_tuple_and_no_iterator_or_set(qt, make):
    box = qt.QComboBox()
    box.addItems(["one"])
    box.addItems(("two",))
    with pytest.raises(ValueError, match="wrong arguments"):
        box.addItems(make(["three"]))
    assert box.count == 2


def test_values_of_an_enum_are_found_in_the_class_around_it_only(qt):
    assert qt.Qt.Checked is not qt.Qt.Unchecked
    for around, name, value in ((qt.Qt, "CheckState", "Checked"), (qt.QFrame, "Shape", "HLine")):
        assert getattr(around, value) is not None
        with pytest.raises(AttributeError, match=value):
            getattr(getattr(around, name), value)


def test_a_designer_file_sets_only_properties_that_the_class_has(qt, tmp_path):
    import slicer

    path = tmp_path / "panel.ui"
    path.write_text(DESIGNER)
    with pytest.raises(AssertionError, match="sizeAdjustPolcy"):
        slicer.util.loadUI(str(path))


DESIGNER = """<ui version="4.0"><widget class="qMRMLWidget" name="Panel"><layout class="QVBoxLayout"><item>
<widget class="qMRMLNodeComboBox" name="box"><property name="sizeAdjustPolcy"><bool>true</bool></property>
</widget></item></layout></widget><connections/></ui>"""


def test_a_class_that_is_not_there_is_an_error(qt):
    with pytest.raises(AttributeError, match="QPushButon"):
        _ = qt.QPushButon
