"""How the panel looks; to see it: python -m pytest Testing/ui/test_appearance.py --basetemp=FOLDER."""

import pytest
from PySide6 import QtGui, QtWidgets

SECTIONS = ("correct", "propagate", "batch", "export", "advanced")
TEXTS = ("WindowText", "Text", "ButtonText", "ToolTipText")
# Slicer's own dark style
DARK = {"Window": "#353535", "Base": "#232323", "AlternateBase": "#2c2c2c", "Button": "#404040"}


@pytest.fixture(params=["light", "dark"])
def style(request):
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    before = application.palette()
    light = application.style().standardPalette()
    application.setPalette(light if request.param == "light" else dark_palette())
    yield request.param
    application.setPalette(before)


@pytest.mark.parametrize("width", [350, 500])
def test_everything_fits_into_a_narrow_panel(style, bench, width, tmp_path):
    fill(bench)
    for name in SECTIONS:
        getattr(bench.ui, f"{name}Section").collapsed = False
    bench.picture(tmp_path / f"open-{style}-{width}.png", width, 2000)
    assert bench.window.width() == width
    assert not [button.text() for button in buttons(bench) if button.width() < button.sizeHint().width()]


@pytest.mark.parametrize("width", [350, 500])
def test_what_a_first_result_needs_is_in_sight_on_a_small_screen(style, bench, width, tmp_path):
    fill(bench)
    bench.picture(tmp_path / f"panel-{style}-{width}.png", width, 720)
    status = bench.ui.statusText.pyside
    bottom = status.mapTo(bench.window, status.rect().bottomLeft()).y()
    assert bottom < 720
    assert status.isVisible()


def fill(bench):
    """As after a few clicks."""
    bench.volume.SetName("CTLiver")
    bench.click("positiveButton")
    for name, x in (("Liver", 20), ("Left kidney", 10), ("Spleen", 30)):
        bench.session.addSegment(name)
        bench.session.addPoint((x, 20))
        bench.tick()
    bench.panel.status.setReadiness(212, 300)


def buttons(bench):
    return [button for button in bench.window.findChildren(QtWidgets.QPushButton) if button.isVisible()]


def dark_palette():
    palette, roles = QtGui.QPalette(), QtGui.QPalette.ColorRole
    disabled = QtGui.QPalette.ColorGroup.Disabled
    for role, color in {**DARK, **dict.fromkeys(TEXTS, "#e6e6e6")}.items():
        palette.setColor(getattr(roles, role), QtGui.QColor(color))
    for role in TEXTS:
        palette.setColor(disabled, getattr(roles, role), QtGui.QColor("#7f7f7f"))
    palette.setColor(roles.Highlight, QtGui.QColor("#2a82da"))
    return palette
