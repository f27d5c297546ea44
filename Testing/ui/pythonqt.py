"""PythonQt's rules on top of PySide6: what would raise in Slicer raises here.

Slicer's ``qt`` module is PythonQt.  There a Qt property is an attribute and never a method, an unknown
attribute cannot be set, and signals are connected by ``connect("signal(type)", slot)``.  PySide6 has it the
other way round on all three, so that a misspelt name passes.  `QtModule` gives out PySide6's classes behind
proxies that keep PythonQt's rules; where the two would differ in leniency, the proxies refuse.

Classes of Slicer and CTK are stood in for by those of `slicerWidgets`, which know the names that the real
headers declare; nothing else of them can be used.
"""

import enum
import inspect
import os
import sys
import traceback
import types
import xml.etree.ElementTree as ET
from collections.abc import Iterator, MappingView, Set

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import shiboken6
from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

_MODULES = (QtCore, QtGui, QtWidgets)

# What a property of a type takes as it is.  PythonQt would take more, and write "None" into a label.
_TAKEN = {
    "QString": (str,),
    "int": (int, np.integer),
    "double": (int, float, np.integer, np.floating),
    "bool": (bool, np.bool_),
}

# What every QObject has in PythonQt without being a property, slot or signal.
_NOT_OURS = {"connect", "disconnect", "metaObject", "staticMetaObject", "tr", "sender", "emit"}

_SIGNAL, _SLOT = QtCore.QMetaMethod.MethodType.Signal, QtCore.QMetaMethod.MethodType.Slot
_known = {}

slot_errors = []
"""Exceptions that slots have raised, oldest first: PythonQt prints them and goes on, a test must see them."""


def install(own_classes, settings_folder):
    """Begin anew, with an application.

    :param own_classes: stand-ins for classes that Qt does not have.
    :param settings_folder: where ``QSettings`` are kept.
    :return: the modules ``qt`` and ``ctk``.
    """
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    application.setStyle("Fusion")
    application.setOrganizationName("Tests")
    QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
    scope = QtCore.QSettings.Scope.UserScope
    QtCore.QSettings.setPath(QtCore.QSettings.Format.IniFormat, scope, str(settings_folder))
    UiLoader.own_classes = {pyside.__name__: pyside for pyside in own_classes}
    slot_errors.clear()
    return QtModule("qt"), QtModule("ctk", own_classes)


def wrap(value):
    """A value as PythonQt would hand it to Python."""
    if isinstance(value, QtCore.QObject):
        return QtObject(value)
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return tuple(wrap(item) for item in value)
    return value


def unwrap(value):
    """The other way round."""
    if isinstance(value, QtObject):
        return value.pyside
    if isinstance(value, (list, tuple)):
        return type(value)(unwrap(item) for item in value)
    return value


class QtObject:
    """A QObject as PythonQt shows it.  ``pyside`` is the object itself, for the tests."""

    __slots__ = ("pyside",)

    def __init__(self, pyside):
        object.__setattr__(self, "pyside", pyside)

    def __eq__(self, other):
        return isinstance(other, QtObject) and other.pyside is self.pyside

    def __hash__(self):
        return hash(self.pyside)

    def __repr__(self):
        return f"{self.className()}({self.pyside.objectName()!r})"

    def __getattr__(self, name):
        pyside = self.pyside
        if not shiboken6.isValid(pyside):
            raise ValueError(f"Trying to read '{name}' of a destroyed {type(pyside).__name__}")
        found = _property(pyside, name)
        if found is not None:
            return wrap(pyside.property(found.name()))
        if name in _signal_names(pyside):
            return QtSignal(self, name)
        if name in _NOT_OURS or not _is_method(pyside, name):
            raise AttributeError(f"{type(pyside).__name__} has no attribute named '{name}'")
        return self._method(name)

    def _method(self, name):
        pyside = self.pyside

        def call(*arguments):
            if not shiboken6.isValid(pyside):
                raise ValueError(f"Trying to call '{name}' on a destroyed {type(pyside).__name__}")
            if any(isinstance(each, (Iterator, MappingView, Set)) for each in arguments):
                raise ValueError(f"Called {name} with wrong arguments: {arguments}")
            return wrap(getattr(pyside, name)(*map(unwrap, arguments)))

        return call

    def __setattr__(self, name, value):
        pyside = self.pyside
        if not shiboken6.isValid(pyside):
            raise AttributeError(f"Trying to set '{name}' of a destroyed {type(pyside).__name__}")
        found = _property(pyside, name)
        if found is None:
            raise AttributeError(f"{type(pyside).__name__} has no property '{name}' that could be set")
        if not found.isWritable():
            raise AttributeError(f"Property '{name}' of {type(pyside).__name__} is read-only")
        kind, value = found.typeName(), unwrap(value)
        taken = _TAKEN.get(kind)
        if value is None or (taken is not None and not isinstance(value, taken)):
            raise AttributeError(f"Property '{name}' of type '{kind}' does not accept {value!r}")
        # NumPy's numbers are numbers to PythonQt, and 0 to PySide6.
        if not pyside.setProperty(found.name(), value.item() if isinstance(value, np.generic) else value):
            raise AttributeError(f"Property '{name}' of type '{kind}' does not accept {value!r}")

    def className(self):
        return type(self.pyside).__name__

    def connect(self, signature, slot):
        """Call ``slot`` with as many of the signal's values as it takes."""
        name, count = _parse(self.pyside, signature)
        receiver = _receiver(slot, count)
        connections = self.pyside.__dict__.setdefault("_connections", [])
        connections.append((signature, slot, receiver))
        getattr(self.pyside, name).connect(receiver)
        return True

    def disconnect(self, signature, slot):
        name, _count = _parse(self.pyside, signature)
        connections = self.pyside.__dict__.get("_connections", [])
        for entry in [entry for entry in connections if entry[:2] == (signature, slot)]:
            getattr(self.pyside, name).disconnect(entry[2])
            connections.remove(entry)
        return True


class QtSignal:
    """A signal that is read as an attribute: ``button.clicked.connect(slot)``."""

    def __init__(self, owner, name):
        self._owner, self._signature = owner, _signatures(owner.pyside, name)[-1]

    def connect(self, slot):
        return self._owner.connect(self._signature, slot)

    def disconnect(self, slot):
        return self._owner.disconnect(self._signature, slot)


class QtClass:
    """A class of Qt: called, it makes an object; enum values and static methods are attributes."""

    def __init__(self, pyside):
        self._pyside = pyside

    def __call__(self, *arguments):
        return wrap(self._pyside(*map(unwrap, arguments)))

    def __getattr__(self, name):
        value = getattr(self._pyside, name)
        if inspect.isclass(value) and issubclass(value, enum.Enum):
            return type(name, (), {})  # of Slicer 5.8: the values are attributes of the class around it only
        return value if not callable(value) else lambda *arguments: wrap(value(*map(unwrap, arguments)))


class QtModule(types.ModuleType):
    """The module ``qt``, or with other classes ``ctk`` or the widgets of ``slicer``."""

    def __init__(self, name, own_classes=()):
        super().__init__(name)
        self._own = {pyside.__name__: pyside for pyside in own_classes}
        if name == "qt":
            self._own["QUiLoader"] = UiLoader

    def __getattr__(self, name):
        found = self._own.get(name)
        if found is None and self.__name__ == "qt":
            found = next((getattr(module, name) for module in _MODULES if hasattr(module, name)), None)
        if found is None:
            raise AttributeError(f"module {self.__name__} has no class '{name}'")
        return QtClass(found) if inspect.isclass(found) else found


class UiLoader(QtUiTools.QUiLoader):
    """Makes the widgets of a Designer file; a class that nobody knows is an error and not a plain QWidget."""

    own_classes = types.MappingProxyType({})

    def createWidget(self, class_name, parent=None, name=""):
        if class_name in self.own_classes:
            widget = self.own_classes[class_name](parent)
            widget.setObjectName(name)
            return widget
        if not hasattr(QtWidgets, class_name):
            raise AssertionError(f"The .ui file names the unknown class {class_name}")
        return super().createWidget(class_name, parent, name)

    def load(self, device):
        """The widget tree; connections are made here, because Qt cannot make those of our classes."""
        tree = ET.fromstring(bytes(device.readAll().data()))
        connections = tree.find("connections")
        wanted = [[entry.findtext(tag) for tag in _CONNECTION] for entry in connections]
        tree.remove(connections)
        buffer = QtCore.QBuffer()
        buffer.setData(ET.tostring(tree))
        widget = super().load(buffer)
        self._refuse_undeclared_properties(tree, widget)
        for sender, signal, receiver, slot in wanted:
            target = _named(widget, receiver)
            _named(widget, sender).connect(signal, getattr(target, slot.split("(")[0]))
        return widget

    def _refuse_undeclared_properties(self, tree, root):
        """Qt makes a dynamic property of one that the class does not have, and it has no effect."""
        own = [each for each in tree.iter("widget") if each.get("class") in self.own_classes]
        for element in own:
            widget = _named(root, element.get("name")).pyside
            for entry in element.findall("property"):
                if _property(widget, entry.get("name")) is None:
                    raise AssertionError(
                        f"The .ui file sets {entry.get('name')}, which {element.get('class')} does not have"
                    )


_CONNECTION = ("sender", "signal", "receiver", "slot")


def _named(root, name):
    found = root if root.objectName() == name else root.findChild(QtCore.QObject, name)
    assert found is not None, f"The .ui file connects '{name}', which it does not have"
    return QtObject(found)


def _api(pyside):
    """The declared names of a stand-in class and those it derives from; empty for Qt's own classes."""
    return [kind.API for kind in type(pyside).__mro__ if "API" in vars(kind)]


def _property(pyside, name):
    name = "objectName" if name == "name" else name
    index = pyside.metaObject().indexOfProperty(name)
    return None if index < 0 else pyside.metaObject().property(index)


def _signatures(pyside, name=None):
    """Signatures of the signals that can be connected, of one name or of all."""
    declared = [signature for api in _api(pyside) for signature in api.signals]
    # A stand-in's own signals carry Python objects; the header says what the real ones carry.
    found = [each for each in _declared(pyside, _SIGNAL) if not (declared and "PyObject" in each)]
    return [each for each in found + declared if name in (None, each.split("(")[0])]


def _declared(pyside, kind):
    """Signatures of the signals or the slots that Qt knows of an object's class."""
    meta = pyside.metaObject()
    key = meta.className(), kind
    if key not in _known:
        methods = [meta.method(index) for index in range(meta.methodCount())]
        methods = [method for method in methods if method.methodType() == kind]
        _known[key] = [bytes(method.methodSignature().data()).decode() for method in methods]
    return _known[key]


def _signal_names(pyside):
    return {signature.split("(")[0] for signature in _signatures(pyside)}


def _parse(pyside, signature):
    """Name and number of values of a signal; raises where PythonQt would silently connect nothing."""
    normal = bytes(QtCore.QMetaObject.normalizedSignature(signature).data()).decode()
    if normal not in _signatures(pyside):
        raise AttributeError(f"{type(pyside).__name__} has no signal {signature}")
    name, values = normal[:-1].split("(", 1)
    return name, len(values.split(",")) if values else 0


def _receiver(slot, count):
    if isinstance(slot, QtObject) or not callable(slot):
        raise TypeError(f"{slot!r} cannot be a slot")
    taken = _taken(slot, count)

    def receive(*values):
        try:
            slot(*map(wrap, values[:taken]))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            slot_errors.append(error)

    def receive_none():
        receive()

    def receive_one(value):
        receive(value)

    # PySide6 counts the parameters, too, and gives nothing to *values.
    return {0: receive_none, 1: receive_one}.get(count, receive)


def _taken(slot, count):
    """How many of a signal's values a slot gets: as many as a Python function or method declares.

    Any other callable gets all of them: partial, builtin, slot of a Qt object, object with ``__call__``.
    """
    if not inspect.isfunction(getattr(slot, "__func__", slot)):
        return count
    parameters = inspect.signature(slot, follow_wrapped=False).parameters.values()
    if any(parameter.kind == parameter.VAR_POSITIONAL for parameter in parameters):
        return count
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return min(count, len(places))


def _is_method(pyside, name):
    """Whether PythonQt offers a method: public in Qt, and neither getter nor setter of a property."""
    if name.startswith("_"):
        return False
    if any(name in api.methods for api in _api(pyside)):
        return True
    if _is_slot(pyside, name):
        return True
    qt_class = next(kind for kind in type(pyside).__mro__ if kind.__module__.startswith("PySide6."))
    return hasattr(qt_class, name) and not _is_accessor(pyside, name)


def _is_slot(pyside, name):
    if _api(pyside) and name in vars(type(pyside)):
        return False
    return any(signature.split("(")[0] == name for signature in _declared(pyside, _SLOT))


def _is_accessor(pyside, name):
    bare = name[3:] if name.startswith("set") else name[2:] if name.startswith("is") else ""
    return bool(bare) and _property(pyside, bare[0].lower() + bare[1:]) is not None
