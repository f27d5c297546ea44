"""Keep the panel's choices and the scene's parameter node the same, whichever changes first."""

from typing import Any, Callable, Dict, NamedTuple

import vtk

from ...scene.observers import Observers


class Field(NamedTuple):
    """One choice: a widget that tells of changes, how its value is read, how it is set."""

    widget: Any
    signal: str
    read: Callable[[], Any]
    write: Callable[[Any], None]


class ParameterBinding:
    """Copies values between fields and the attributes of the same names of a typed parameter node.

    :param fields: by parameter name, in the order in which they are set: a segment after its segmentation.
    """

    def __init__(self, fields: Dict[str, Field]):
        self._fields = fields
        self._parameters = None
        self._observers = Observers()
        self._isCopying = False
        for field in fields.values():
            field.widget.connect(field.signal, self.push)

    def connect(self, parameters) -> None:
        """Take the values of a parameter node over, and follow it.

        :param parameters: see `parameterNode.panelParameters`.
        """
        self.disconnect()
        self._parameters = parameters
        self._observers.add(parameters.parameterNode, vtk.vtkCommand.ModifiedEvent, self._onModified)
        self._pull()

    def disconnect(self) -> None:
        """Leave the node alone.  May be called twice."""
        self._observers.close()
        self._parameters = None

    def push(self) -> None:
        """Write to the node what is different in the panel."""
        if self._parameters is None or self._isCopying:
            return
        for name, field in self._fields.items():
            value = field.read()
            if getattr(self._parameters, name) != value:
                self._copy(setattr, self._parameters, name, value)

    def _pull(self) -> None:
        for name, field in self._fields.items():
            value = getattr(self._parameters, name)
            if field.read() != value:
                self._copy(field.write, value)

    def _onModified(self, *_) -> None:
        if not self._isCopying:
            self._pull()

    def _copy(self, action: Callable, *arguments) -> None:
        self._isCopying = True
        try:
            action(*arguments)
        finally:
            self._isCopying = False


def boxField(box) -> Field:
    """Return the field of a choice.

    :param box: a `ChoiceBox`.
    """
    return Field(box.comboBox, "currentIndexChanged(int)", lambda: box.key, box.choose)


def checkField(checkBox) -> Field:
    def write(isChecked):
        checkBox.checked = isChecked

    return Field(checkBox, "toggled(bool)", lambda: checkBox.checked, write)


def spinField(spinBox, signal: str = "valueChanged(int)") -> Field:
    def write(value):
        spinBox.value = value

    return Field(spinBox, signal, lambda: spinBox.value, write)


def nodeField(selector) -> Field:
    return Field(selector, "currentNodeChanged(vtkMRMLNode*)", selector.currentNode, selector.setCurrentNode)


def textField(lineEdit) -> Field:
    """Return the field of a line of text; one that is empty in the node keeps the panel's default."""

    def write(text):
        lineEdit.text = text or lineEdit.text

    return Field(lineEdit, "editingFinished()", lambda: lineEdit.text, write)


def folderField(directoryButton) -> Field:
    """Return the field of a folder; one that is empty in the node keeps the panel's default."""

    def write(path):
        directoryButton.directory = path or directoryButton.directory

    signal = "directoryChanged(QString)"
    return Field(directoryButton, signal, lambda: directoryButton.directory, write)


def listField(checkList) -> Field:
    """Return the field of the checked keys of a `CheckList`, with spaces between them."""

    def write(keys):
        checkList.check(keys.split())

    signal = "itemChanged(QListWidgetItem*)"
    return Field(checkList.listWidget, signal, lambda: " ".join(checkList.checked), write)
