"""The panel is driven as a user would, and says what happens."""


def test_a_click_needs_no_more_than_a_tool(bench):
    bench.click("positiveButton")
    bench.session.addPoint((20, 20))
    bench.tick()
    assert bench.session.segmentationNode is not None
    assert bench.ui.segmentationSelector.currentNode() is bench.session.segmentationNode
    assert bench.ui.segmentsTable.selectedSegmentIDs() == (bench.session.segmentId,)


def test_the_line_tells_times_and_confidence(bench):
    bench.click("positiveButton")
    bench.session.addPoint((20, 20))
    bench.tick()
    assert "Encoded in 1 ms, decoded in 0 ms, confidence 0.90" in bench.ui.statusText.text


def test_nothing_is_started_before_a_tool_is_taken(bench):
    bench.tick()
    assert bench.engine.status is None
    bench.click("boxButton")
    assert bench.engine.status is not None
