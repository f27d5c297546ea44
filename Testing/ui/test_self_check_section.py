"""The self-check page is made beside the panel and can be copied."""

import pytest


class Command:
    """Stands where `BackgroundCommand` stands."""

    def __init__(self, launch, arguments):
        self.arguments, self.text, self.is_cancelled = arguments, None, False

    def poll(self):
        return self.text

    def cancel(self):
        self.is_cancelled = True


@pytest.fixture
def command(bench, monkeypatch):
    from SAMUNetSlicerLib.ui.sections import selfCheckSection

    monkeypatch.setattr(selfCheckSection, "BackgroundCommand", Command)
    bench.ui.advancedSection.collapsed = False
    bench.click("selfCheckButton")
    return bench.panel.selfCheck._command


def test_the_page_appears_when_it_is_ready_and_can_be_copied(bench, command, application):
    assert command.arguments == ("doctor",)
    assert bench.ui.selfCheckText.pyside.isHidden()
    assert bench.panel.progress.isShown
    command.text = "Everything is in place."
    bench.tick()
    assert not bench.ui.selfCheckText.pyside.isHidden()
    assert not bench.panel.progress.isShown
    bench.click("copySelfCheckButton")
    assert application.clipboard().text() == "Everything is in place."


def test_cancel_ends_the_check(bench, command):
    bench.click("cancelButton")
    assert command.is_cancelled
    assert not bench.panel.progress.isShown


def test_closing_the_panel_ends_the_check(bench, command):
    bench.panel.close()
    assert command.is_cancelled
