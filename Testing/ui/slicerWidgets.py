"""Stand-ins for the widgets of Slicer and CTK that the panel uses.

Each class carries an `Api`: the names that the header of the real one declares (3D Slicer 5.8.1 and 5.12.3,
CTK of the same years), as far as the panel may use them.  The proxies of `pythonqt` let nothing else
through, so that using another name means looking it up in the header first.
"""

from dataclasses import dataclass
from typing import Tuple

import shiboken6
import slicer
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal
from vtkmodules.vtkCommonCore import vtkObject


@dataclass(frozen=True)
class Api:
    """Names of a real class: ``methods`` are Q_INVOKABLE or slots; properties are Qt properties below."""

    header: str
    methods: Tuple[str, ...] = ()
    signals: Tuple[str, ...] = ()


def _stored(kind, name, default, changed=None):
    """A Qt property that only remembers its value."""
    attribute = f"_{name}"

    def read(self):
        return getattr(self, attribute, default)

    def write(self, value):
        setattr(self, attribute, value)
        if changed is not None:
            getattr(self, changed)()

    return Property(kind, read, write)


class qMRMLWidget(QtWidgets.QWidget):
    API = Api(
        "Libs/MRML/Widgets/qMRMLWidget.h",
        methods=("mrmlScene", "setMRMLScene"),
        signals=("mrmlSceneChanged(vtkMRMLScene*)",),
    )
    mrmlSceneChanged = Signal(object)
    _scene = None

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene):
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):
    API = Api("Base/QTGUI/qSlicerAbstractModuleWidget.h")
    isEntered = _stored(bool, "isEntered", False)


class qMRMLNodeComboBox(QtWidgets.QWidget):
    API = Api(
        "Libs/MRML/Widgets/qMRMLNodeComboBox.h",
        methods=(
            "mrmlScene",
            "setMRMLScene",
            "currentNode",
            "setCurrentNode",
            "setCurrentNodeID",
            "nodeCount",
            "nodeFromIndex",
        ),
        signals=(
            "currentNodeChanged(vtkMRMLNode*)",
            "currentNodeChanged(bool)",
            "currentNodeIDChanged(QString)",
            "nodeActivated(vtkMRMLNode*)",
            "nodeAddedByUser(vtkMRMLNode*)",
        ),
    )
    currentNodeChanged = Signal(object)
    nodeTypes = _stored("QStringList", "nodeTypes", [], "_fill")
    noneEnabled = _stored(bool, "noneEnabled", False, "_fill")
    noneDisplay = _stored(str, "noneDisplay", "None", "_fill")
    showChildNodeTypes = _stored(bool, "showChildNodeTypes", True)
    addEnabled = _stored(bool, "addEnabled", True)
    removeEnabled = _stored(bool, "removeEnabled", True)
    editEnabled = _stored(bool, "editEnabled", False)
    renameEnabled = _stored(bool, "renameEnabled", False)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene, self._tags, self._nodes, self._current = None, [], [], None
        self.box = QtWidgets.QComboBox()
        policy = QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.box.setSizeAdjustPolicy(policy)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.box)
        self.box.activated.connect(lambda index: self.setCurrentNode(self._nodes[index]))

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene):
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene, self._tags = scene, []
        if scene is not None:
            events = (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent)
            self._tags = [scene.AddObserver(event, lambda *_: self._fill()) for event in events]
            self._tags.append(scene.AddObserver(scene.EndImportEvent, lambda *_: self._onImported()))
        self._fill()

    def _onImported(self):
        """All rows are removed and inserted anew, which chooses none of them."""
        self.setCurrentNode(None)
        self._fill()

    def currentNode(self):
        return self._current

    def setCurrentNode(self, node):
        if not (node is None or isinstance(node, vtkObject)):
            # The overload for an ID is not reached from Python; setCurrentNodeID is.
            raise TypeError("method requires a VTK object")
        if node not in self._nodes:
            node = None
        self.box.setCurrentIndex(self._nodes.index(node) if node in self._nodes else -1)
        if node is not self._current:
            self._current = node
            self.currentNodeChanged.emit(node)

    def setCurrentNodeID(self, node_id):
        self.setCurrentNode(self._scene.GetNodeByID(node_id) if node_id else None)

    def nodeCount(self):
        return sum(node is not None for node in self._nodes)

    def nodeFromIndex(self, index):
        return [node for node in self._nodes if node is not None][index]

    def _fill(self):
        scene = self._scene
        if scene is None or scene.IsImporting() or not shiboken6.isValid(self.box):
            return
        found = [scene.GetNodesByClass(kind) for kind in self.nodeTypes]
        for collection in found:
            collection.UnRegister(None)
        nodes = [list_.GetItemAsObject(i) for list_ in found for i in range(list_.GetNumberOfItems())]
        nodes = [node for node in nodes if node.GetClassName() in self.nodeTypes]
        self._nodes = ([None] if self.noneEnabled else []) + nodes
        self.box.clear()
        self.box.addItems([node.GetName() if node else self.noneDisplay for node in self._nodes])
        self.setCurrentNode(self._current)


class qMRMLSegmentsTableView(qMRMLWidget):
    API = Api(
        "Modules/Loadable/Segmentations/Widgets/qMRMLSegmentsTableView.h",
        methods=(
            "segmentationNode",
            "setSegmentationNode",
            "selectedSegmentIDs",
            "setSelectedSegmentIDs",
            "clearSelection",
            "jumpSlices",
        ),
        signals=("selectionChanged(QItemSelection,QItemSelection)", "segmentAboutToBeModified(QString)"),
    )
    selectionChanged = Signal(object, object)
    selectionMode = _stored(int, "selectionMode", 3)
    headerVisible = _stored(bool, "headerVisible", True)
    opacityColumnVisible = _stored(bool, "opacityColumnVisible", True)
    jumpToSelectedSegmentEnabled = _stored(bool, "jumpToSelectedSegmentEnabled", False)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._node, self._tags, self._ids = None, [], []
        self.table = QtWidgets.QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["", "Color", "Name"])
        self.table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.SingleSelection)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.setColumnWidth(0, 28)
        self.table.setColumnWidth(1, 44)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        self.table.itemSelectionChanged.connect(lambda: self.selectionChanged.emit(None, None))

    def segmentationNode(self):
        return self._node

    def setSegmentationNode(self, node):
        for tag in self._tags:
            self._node.RemoveObserver(tag)
        self._node, self._tags = node, []
        if node is not None:
            kind = slicer.vtkSegmentation
            # Slicer's table observes the node, too, and hears of it before others do.
            events = (kind.SegmentAdded, kind.SegmentRemoved, kind.SegmentModified)
            self._tags = [node.AddObserver(event, lambda *_: self._fill(), 10.0) for event in events]
        self._fill()

    def selectedSegmentIDs(self):
        rows = sorted({index.row() for index in self.table.selectedIndexes()})
        return [self._ids[row] for row in rows if row < len(self._ids)]

    def setSelectedSegmentIDs(self, ids):
        self.table.clearSelection()
        for segment_id in ids:
            if segment_id in self._ids:
                self.table.selectRow(self._ids.index(segment_id))

    def clearSelection(self):
        self.table.clearSelection()

    def _fill(self):
        selected, current = self.selectedSegmentIDs(), self.table.currentRow()
        gone = 0 <= current < len(self._ids) and self._ids[current]
        segmentation = None if self._node is None else self._node.GetSegmentation()
        self._ids = [] if segmentation is None else list(segmentation.GetSegmentIDs())
        self.table.blockSignals(True)
        self.table.clearSelection()
        self._write(segmentation)
        self.table.blockSignals(False)
        if gone and self._ids and gone not in self._ids:
            # As Qt does it in a view of which one row can be selected: the current row has a successor.
            self.table.selectRow(min(current, len(self._ids) - 1))
        else:
            self.setSelectedSegmentIDs(selected)

    def _write(self, segmentation):
        self.table.setRowCount(len(self._ids))
        for row, segment_id in enumerate(self._ids):
            segment = segmentation.GetSegment(segment_id)
            eye, swatch = QtWidgets.QTableWidgetItem("\u25c9"), QtWidgets.QTableWidgetItem()
            swatch.setBackground(QtGui.QColor.fromRgbF(*segment.GetColor()))
            for column, item in enumerate((eye, swatch, QtWidgets.QTableWidgetItem(segment.GetName()))):
                self.table.setItem(row, column, item)
            self.table.setRowHeight(row, 22)


class qMRMLSegmentationShow3DButton(QtWidgets.QPushButton):
    API = Api(
        "Modules/Loadable/Segmentations/Widgets/qMRMLSegmentationShow3DButton.h",
        methods=("segmentationNode", "setSegmentationNode"),
    )
    _node = None

    def segmentationNode(self):
        return self._node

    def setSegmentationNode(self, node):
        self._node = node


class ctkCollapsibleButton(QtWidgets.QAbstractButton):
    API = Api("CTK Libs/Widgets/ctkCollapsibleButton.h", signals=("contentsCollapsed(bool)",))
    contentsCollapsed = Signal(bool)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setCheckable(True)
        self.setChecked(True)
        self.setContentsMargins(0, self._header(), 0, 0)
        self.toggled.connect(self._collapse)

    def _header(self):
        return self.fontMetrics().height() + 10

    def _is_collapsed(self):
        return not self.isChecked()

    def _set_collapsed(self, collapsed):
        self.setChecked(not collapsed)

    collapsed = Property(bool, _is_collapsed, _set_collapsed)

    def _collapse(self, is_open):
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                child.setVisible(is_open)
        self.setMaximumHeight(16777215 if is_open else self._header())
        self.contentsCollapsed.emit(not is_open)

    def childEvent(self, event):
        # Children that arrive while the section is closed are hidden, too.
        if event.added() and isinstance(event.child(), QtWidgets.QWidget) and not self.isChecked():
            event.child().setVisible(False)
        super().childEvent(event)

    def sizeHint(self):
        if self.layout() is None or not self.isChecked():
            return QtCore.QSize(80, self._header())
        return self.layout().sizeHint()

    def minimumSizeHint(self):
        if self.layout() is None or not self.isChecked():
            return QtCore.QSize(80, self._header())
        return self.layout().minimumSize()

    def mousePressEvent(self, event):
        if event.position().y() <= self._header():
            super().mousePressEvent(event)

    def paintEvent(self, _event):
        painter, option = QtWidgets.QStylePainter(self), QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width(), self._header())
        painter.drawControl(QtWidgets.QStyle.ControlElement.CE_PushButtonBevel, option)
        arrow = QtWidgets.QStyleOption()
        arrow.initFrom(self)
        arrow.rect = QtCore.QRect(6, self._header() // 2 - 5, 10, 10)
        element = QtWidgets.QStyle.PrimitiveElement
        kind = element.PE_IndicatorArrowUp if self.isChecked() else element.PE_IndicatorArrowDown
        painter.drawPrimitive(kind, arrow)
        place = QtCore.QRect(24, 0, self.width() - 24, self._header())
        painter.setPen(self.palette().windowText().color())
        painter.drawText(place, QtCore.Qt.AlignmentFlag.AlignVCenter, self.text())


class ctkDirectoryButton(QtWidgets.QWidget):
    API = Api("CTK Libs/Widgets/ctkDirectoryButton.h", signals=("directoryChanged(QString)",))
    directoryChanged = Signal(str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._button = QtWidgets.QPushButton("(...)")
        self._directory = QtCore.QDir.currentPath()
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._button)

    def _get(self):
        return self._directory

    def _set(self, path):
        if path != self._directory:
            self._directory = path
            self._button.setText(path)
            self.directoryChanged.emit(path)

    directory = Property(str, _get, _set)


class qMRMLSegmentEditorWidget(qMRMLWidget):
    API = Api(
        "Modules/Loadable/Segmentations/Widgets/qMRMLSegmentEditorWidget.h",
        methods=(
            "mrmlSegmentEditorNode",
            "setMRMLSegmentEditorNode",
            "setSegmentationNode",
            "setSourceVolumeNode",
            "setCurrentSegmentID",
            "setEffectNameOrder",
            "setActiveEffect",
            "setupViewObservations",
            "removeViewObservations",
            "updateWidgetFromMRML",
        ),
        signals=("currentSegmentIDChanged(QString)",),
    )
    segmentationNodeSelectorVisible = _stored(bool, "segmentationNodeSelectorVisible", True)
    sourceVolumeNodeSelectorVisible = _stored(bool, "sourceVolumeNodeSelectorVisible", True)
    addRemoveSegmentButtonsVisible = _stored(bool, "addRemoveSegmentButtonsVisible", True)
    show3DButtonVisible = _stored(bool, "show3DButtonVisible", True)
    switchToSegmentationsButtonVisible = _stored(bool, "switchToSegmentationsButtonVisible", True)
    specifyGeometryButtonVisible = _stored(bool, "specifyGeometryButtonVisible", True)
    autoShowSourceVolumeNode = _stored(bool, "autoShowSourceVolumeNode", True)
    undoEnabled = _stored(bool, "undoEnabled", True)
    unorderedEffectsVisible = _stored(bool, "unorderedEffectsVisible", True)
    effectColumnCount = _stored(int, "effectColumnCount", 2)
    maximumNumberOfUndoStates = _stored(int, "maximumNumberOfUndoStates", 10)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._node, self.observes_views = None, False
        self._inner = qMRMLSegmentsTableView()
        self._inner.setObjectName("SegmentsTableView")
        self._grid = QtWidgets.QGridLayout()
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._inner)
        layout.addLayout(self._grid)

    def mrmlSegmentEditorNode(self):
        return self._node

    def setMRMLSegmentEditorNode(self, node):
        self._node = node

    def setSegmentationNode(self, node):
        self._node.SetAndObserveSegmentationNode(node)

    def setSourceVolumeNode(self, node):
        self._node.SetAndObserveSourceVolumeNode(node)

    def setCurrentSegmentID(self, segment_id):
        self._node.SetSelectedSegmentID(segment_id)

    def setEffectNameOrder(self, names):
        for index, name in enumerate(names):
            place = divmod(index, self.effectColumnCount)
            button = QtWidgets.QToolButton(text=name)
            button.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
            self._grid.addWidget(button, *place)

    def setActiveEffect(self, effect):
        assert effect is None, "an effect is chosen by its button"
        self._node.SetActiveEffectName("")

    def setupViewObservations(self):
        self.observes_views = True

    def removeViewObservations(self):
        self.observes_views = False

    def updateWidgetFromMRML(self):
        pass


WIDGETS = (
    qSlicerScriptedLoadableModuleWidget,
    qMRMLWidget,
    qMRMLNodeComboBox,
    qMRMLSegmentsTableView,
    qMRMLSegmentationShow3DButton,
    qMRMLSegmentEditorWidget,
    ctkCollapsibleButton,
    ctkDirectoryButton,
)
