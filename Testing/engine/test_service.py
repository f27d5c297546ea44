"""The engine's service: one model, its cache, and what happens when memory runs out."""

from dataclasses import replace

import numpy as np
import pytest

from fakes.blob_model import BlobModel
from SAMUNetSlicerLib.engine.models import load_catalog
from SAMUNetSlicerLib.engine.serving import EngineService, ModelSpec
from SAMUNetSlicerLib.engine.types import Prompts
from SAMUNetSlicerLib.errors import EngineError, PromptError, WeightsError

CARD = load_catalog().get("litemedsam").to_json()
BOX = Prompts(boxes=np.array([[10, 10, 30, 25]], np.float32))


def spec(**options):
    return ModelSpec(CARD, "weights.pth", **options)


def image(value=200):
    pixels = np.zeros((40, 50), np.uint8)
    pixels[10:25, 10:30] = value
    return pixels


class PlacedModel(BlobModel):
    """A blob model that is on a device and counts its batches; it fits only where ``fits`` says so."""

    def __init__(self, placement=("cuda:0", "fp32"), fits=lambda placement, count: True):
        super().__init__()
        self._placed, self._fits = placement, fits
        self.batches = []

    def encode(self, images):
        if not self._fits(self._placed, len(images)):
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        self.batches.append((self._placed, len(images)))
        return super().encode(images)

    def to(self, device, precision):
        self._placed = device, precision
        return self

    @property
    def placement(self):
        return self._placed


def service_with(model, notices=None):
    service = EngineService([].append if notices is None else notices.append, load=lambda *_: model)
    service.load(spec())
    return service


def test_nothing_works_before_a_model_is_loaded():
    service = EngineService()
    assert service.status is None
    with pytest.raises(EngineError, match="No model is loaded"):
        service.encode([image()])
    assert service.statistics() == {"encoded": 0, "decoded": 0}
    service.clear_cache()


def test_the_status_names_model_device_and_versions():
    status = service_with(BlobModel()).status
    assert (status.model_id, status.device, status.precision) == ("blobs", "cpu", "fp32")
    assert set(status.versions) == {"python", "torch"}
    assert status.load_ms >= 0


def test_a_model_that_cannot_be_loaded_leaves_none_behind():
    def refuse(*_):
        raise WeightsError("The weights are damaged.")

    service = service_with(BlobModel())
    service._load = refuse
    with pytest.raises(WeightsError):
        service.load(spec())
    assert service.status is None
    with pytest.raises(EngineError, match="No model is loaded"):
        service.predict(image(), BOX)


def test_an_image_is_encoded_once_and_decoded_for_every_prompt():
    model = PlacedModel(("cpu", "fp32"))
    service = service_with(model)
    first, second = service.predict(image(), BOX), service.predict(image(), BOX)
    assert (first.encoding.source, second.encoding.source) == ("encoded", "memory")
    assert first.encoding.encode_ms > 0 and second.encoding.encode_ms == 0
    assert model.batches == [(("cpu", "fp32"), 1)]
    np.testing.assert_array_equal(first.prediction.mask, image() == 200)
    statistics = service.statistics()
    assert (statistics["encoded"], statistics["decoded"], statistics["memory_hits"]) == (1, 2, 1)


def test_a_batch_encodes_only_what_is_missing_and_each_image_once():
    model = PlacedModel(("cpu", "fp32"))
    service = service_with(model)
    service.encode([image(1)])
    reports = service.encode([image(1), image(2), image(3), image(2)])
    assert [report.source for report in reports] == ["memory", "encoded", "encoded", "encoded"]
    assert reports[1].key == reports[3].key
    assert service.statistics()["encoded"] == 3


def test_the_disk_tier_is_used_by_the_next_service(tmp_path):
    folder = str(tmp_path / "cache")
    for source in ("encoded", "disk"):
        service = EngineService(load=lambda *_: BlobModel())
        service.load(spec(cache_folder=folder))
        report = service.predict(image(), BOX)
        assert report.encoding.source == source
    service.clear_cache()
    assert service.predict(image(), BOX).encoding.source == "encoded"


def test_switching_models_and_back_keeps_what_was_encoded():
    models = {"litemedsam": BlobModel(), "other": BlobModel()}
    models["other"].model_key = "other-1"
    service = EngineService(load=lambda card, *_: models[card.id])
    service.load(spec())
    service.encode([image()])
    service.load(ModelSpec({**CARD, "id": "other"}, "weights.pth"))
    assert service.encode([image()])[0].source == "encoded"
    service.load(spec())
    assert service.encode([image()])[0].source == "memory"


def test_only_a_graphics_card_gets_batches():
    assert service_with(PlacedModel(("cpu", "fp32"))).batch_size == 1
    assert service_with(PlacedModel()).batch_size == 8


def test_when_memory_runs_out_batches_shrink_and_all_images_are_encoded():
    notices = []
    model = PlacedModel(fits=lambda placement, count: count <= 3)
    service = service_with(model, notices)
    reports = service.encode([image(value) for value in range(1, 8)])
    assert [report.source for report in reports] == ["encoded"] * 7
    assert service.batch_size == 3
    assert notices == ["Memory ran out: continuing with smaller batches."]
    assert all(service.predict(image(value), BOX).encoding.source == "memory" for value in range(1, 8))


def test_when_the_card_is_full_the_cpu_takes_over_and_says_so_once():
    notices = []
    model = PlacedModel(fits=lambda placement, count: placement[0] == "cpu")
    service = service_with(model, notices)
    report = service.predict(image(), BOX)
    np.testing.assert_array_equal(report.prediction.mask, image() == 200)
    assert service.status.device == "cpu"
    assert len([notice for notice in notices if "cpu" in notice]) == 1
    service.predict(image(3), BOX)
    assert len([notice for notice in notices if "cpu" in notice]) == 1
    assert service.predict(image(), BOX).encoding.source == "memory"


def test_an_embedding_of_another_precision_does_not_stand_in():
    model = PlacedModel(("cpu", "fp32"))
    service = service_with(model)
    service.encode([image()])
    model.to("cpu", "bf16")
    assert service.encode([image()])[0].source == "encoded"


def test_of_a_small_structure_the_network_sees_a_part_and_the_answer_is_on_the_whole_image():
    model = PlacedModel(("cpu", "fp32"))
    model.capabilities = replace(model.capabilities, close_up=True)
    service = service_with(model)
    pixels = np.zeros((400, 500), np.uint8)
    pixels[310:325, 110:130] = 200
    report = service.predict(pixels, Prompts(boxes=np.array([[110, 310, 130, 325]], np.float32)))
    np.testing.assert_array_equal(report.prediction.mask, pixels == 200)
    np.testing.assert_array_equal(report.prediction.boxes, [[110, 310, 130, 325]])
    assert service.encode([pixels])[0].source == "encoded"  # the whole was not needed


def test_wrong_prompts_are_refused_before_anything_is_encoded():
    service = service_with(BlobModel())
    with pytest.raises(PromptError, match="outside the image"):
        service.predict(image(), Prompts(boxes=np.array([[90, 90, 95, 95]], np.float32)))
    assert service.statistics()["encoded"] == 0
