"""A propagation learns from what the user has prompted or painted and from nothing else, and says what."""

import json

import numpy as np

from app.desk import SHAPE
from app.propagation_desk import DEPTH, Way
from SAMUNetSlicerLib.app.prompts import parsePrompts, readPropagationOptions
from SAMUNetSlicerLib.app.session import SegmentProvenance
from SAMUNetSlicerLib.engine.learning import Appearance
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.errors import EngineError
from scene.segmentation_scene import CT, add_volume
from scene.test_slice_image import add_color


def provenance(way):
    return way.session.workspace.provenance.of(way.session.segmentId)


def test_examples_are_the_users_own_slices_and_never_what_was_propagated(way):
    way.box(2)
    way.run()
    way.paint(way.plane(7), rows=slice(5, 25), columns=slice(20, 40))
    way.run()
    masks = [example.mask for example in way.engine.service.examples]
    assert len(masks) == 2
    assert np.array_equal(masks[0], way.mask(way.plane(2)))
    assert np.array_equal(masks[1], way.mask(way.plane(7)))


def test_an_erased_slice_is_no_example(way):
    way.box(2)
    way.run()
    way.paint(way.plane(6), value=False, rows=slice(None), columns=slice(None))
    way.run()
    assert len(way.engine.service.examples) == 1


def test_of_many_slices_those_farthest_apart_are_examples(host):
    voxels = np.random.default_rng(0).integers(0, 200, (20, 24, 24), dtype=np.int16)
    way = Way(host.scene)
    way.session.setVolume(add_volume(host.scene, array=voxels))
    way.volume = way.session.volumeNode
    for k in range(0, 20, 2):
        way.box(k, ((6, 6), (14, 14)))
    way.run()
    assert len(way.engine.service.examples) == 8
    way.propagator.close()
    way.session.close()


def test_every_slice_names_what_was_known_and_the_segment_keeps_it(way):
    way.box()
    way.run()
    known = way.origin(7)["learned"]
    read = SegmentProvenance.fromJson(json.loads(json.dumps(provenance(way).toJson())))
    assert Appearance.from_dict(read.learned(known)).to_dict() == Appearance.indifferent().to_dict()
    assert "beside" in way.origin(7)


def test_what_undo_may_bring_back_is_kept_and_old_knowledge_goes(way):
    way.box()
    way.run()
    kept = provenance(way)
    for number in range(30):
        kept.keepLearned({"number": number})
    assert kept.learned(way.origin(7)["learned"]) is not None
    assert kept.learned("no such name") is None
    assert len(json.loads(kept.toJson())["learned"]) <= 1 + 8


def test_it_can_be_turned_off(way):
    way.box()
    way.run(learn=False)
    assert not hasattr(way.engine.service, "examples")
    assert "learned" not in way.origin(7) and way.filled() == list(range(DEPTH))


def test_a_prompts_file_can_turn_it_off(way):
    entry = readPropagationOptions({"learn": False}, way.volume)
    assert not entry.learn and readPropagationOptions({}, way.volume).learn
    planes = [{"plane": {"axis": "K", "index": 4}, "boxes": [{"ijk": [[8, 9, 4], [20, 25, 4]]}]}]
    segment = {"name": "A", "planes": planes, "propagate": {"learn": False}}
    assert parsePrompts({"version": 1, "segments": [segment]}).segments[0].propagation == {"learn": False}


def test_an_engine_that_cannot_learn_ends_the_propagation_with_its_sentence(way):
    way.box()
    before = way.voxels()

    def fail(examples):
        raise EngineError("The engine is out of memory.")

    way.engine.service.learn = fail
    report = way.run()
    assert "out of memory" in str(report.error) and np.array_equal(way.voxels(), before)


def test_a_bright_spot_elsewhere_on_a_slice_does_not_end_the_way(host):
    """Scaled by itself the slice would look darker all over."""
    voxels = np.random.default_rng(1).integers(100, 130, SHAPE).astype(np.int16)
    voxels[:, 0, :2] = 0, 200
    voxels[6:, 0, 3] = 3000
    way = Way(host.scene)
    way.session.setVolume(add_volume(host.scene, ijk_to_ras=CT, array=voxels))
    way.session.setWindow(WindowSetting("slice"))
    way.volume = way.session.volumeNode
    way.box()
    report = way.run()
    assert way.filled() == list(range(DEPTH)) and not report.stops
    way.propagator.close()
    way.session.close()


def test_a_color_volume_is_learned_from_by_its_brightness(way):
    colors = np.random.default_rng(2).integers(0, 256, (5, 16, 17, 3)).astype(np.uint8)
    volume = add_color(way.scene, colors)
    way.session.setVolume(volume)
    way.volume = volume
    way.box(1, ((2, 2), (6, 6)))
    report = way.run()
    assert report.error is None
    assert all(example.values.ndim == 2 for example in way.engine.service.examples)
