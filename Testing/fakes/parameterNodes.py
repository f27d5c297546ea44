"""Slicer's ``slicer.parameterNodeWrapper``, which slicer-core lacks, for single values.

The node and how values are kept in it (names, texts, node references) are as in Slicer 5.8 to 5.12.
"""

import sys
import types
import typing

import slicer


class _Text:
    """Keeps a value as text; ``parse`` raises ValueError for a text that is none."""

    def __init__(self, parse):
        self.parse = parse

    def isIn(self, node, name):
        return node.HasParameter(name)

    def write(self, node, name, value):
        node.SetParameter(name, str(value))

    def read(self, node, name):
        return self.parse(node.GetParameter(name))

    def remove(self, node, name):
        node.UnsetParameter(name)


class _Reference(_Text):
    """Keeps a reference to a node, and an empty text to say so."""

    def __init__(self):
        super().__init__(str)

    def write(self, node, name, value):
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, value.GetID() if value else None)

    def read(self, node, name):
        return node.GetNodeReference(name)

    def remove(self, node, name):
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)


def _serializer(kind):
    if issubclass(kind, slicer.vtkMRMLNode):
        return _Reference()
    return _Text({bool: "True".__eq__}.get(kind, kind))


def parameterNodeWrapper(cls):
    """Make the annotated members of a class properties of the node it is made with."""
    cls.allParameters = {}
    for name, kind in typing.get_type_hints(cls).items():
        serializer = _serializer(kind)
        default = getattr(cls, name, None)
        cls.allParameters[name] = types.SimpleNamespace(basename=name, serializer=serializer, default=default)
        setattr(cls, name, _property(name, serializer))
    cls.__init__ = _initialize
    return cls


def _property(name, serializer):
    return property(
        lambda self: serializer.read(self.parameterNode, name),
        lambda self, value: serializer.write(self.parameterNode, name, value),
    )


def _initialize(self, node):
    self.parameterNode = node
    for name, parameter in self.allParameters.items():
        if not parameter.serializer.isIn(node, name):
            parameter.serializer.write(node, name, parameter.default)
        parameter.serializer.read(node, name)


def install(monkeypatch):
    """Make ``import slicer.parameterNodeWrapper`` work for one test."""
    module = types.ModuleType("slicer.parameterNodeWrapper")
    module.parameterNodeWrapper = parameterNodeWrapper
    monkeypatch.setitem(sys.modules, module.__name__, module)
