"""Encode once, never use an embedding for anything but what it was made from."""

import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.cache_writers import key_of
from SAMUNetSlicerLib.engine.serving import EmbeddingCache, embedding_key
from SAMUNetSlicerLib.engine.types import Embedding
from SAMUNetSlicerLib.engine.windowing import WindowSetting, to_uint8

images = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8))
windows = st.sampled_from(
    [WindowSetting(m) for m in ("slice", "percentile", "preset:lung")]
    + [WindowSetting("manual", 0.0, u) for u in (50.0, 200.0)]
)


def an_embedding(value=1.0, size=1000):
    return Embedding((torch.full((1, size), float(value)),), (256, 256), (512, 512), "model")


def value_of(embedding):
    return float(embedding.tensors[0].flatten()[0])


def test_the_key_of_an_image_is_the_same_in_every_session():
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert embedding_key(image, "litemedsam-79d8") == "f3989a11837dfe7c95c5c9e1a8d67dcf036d1c6e"


@settings(deadline=None, max_examples=200)
@given(images, images, st.sampled_from(["a", "b"]), st.sampled_from(["a", "b"]))
def test_keys_are_equal_exactly_where_image_and_model_are(image, other, model, other_model):
    same = image.shape == other.shape and np.array_equal(image, other) and model == other_model
    assert (embedding_key(image, model) == embedding_key(other, other_model)) == same
    assert embedding_key(image, model) == embedding_key(np.asfortranarray(image), model)


@settings(deadline=None, max_examples=200)
@given(images, st.data())
def test_one_changed_pixel_is_a_miss(image, data):
    cache = EmbeddingCache(1 << 20)
    cache.put(embedding_key(image, "m"), an_embedding())
    changed = image.copy()
    position = tuple(data.draw(st.integers(0, n - 1)) for n in image.shape)
    changed[position] ^= data.draw(st.integers(1, 255))
    assert cache.get(embedding_key(image, "m")) is not None
    assert cache.get(embedding_key(changed, "m")) is None


@settings(deadline=None, max_examples=200)
@given(
    hnp.arrays(np.int16, hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6)),
    windows,
    windows,
    st.sampled_from(
        [lambda s: s, np.transpose, np.fliplr, np.rot90, lambda s: np.roll(s, 1), lambda s: s[1:]]
    ),
)
def test_another_window_or_plane_never_finds_the_embedding_of_other_pixels(voxels, window, other, moved):
    image, changed = to_uint8(voxels, window), to_uint8(moved(voxels), other)
    cache = EmbeddingCache(1 << 20)
    cache.put(embedding_key(image, "m"), an_embedding())
    found = cache.get(embedding_key(changed, "m")) is not None
    assert found == (image.shape == changed.shape and np.array_equal(image, changed))


def test_embeddings_are_kept_in_half_precision_with_their_geometry():
    cache = EmbeddingCache(1 << 20)
    made = Embedding((torch.randn(1, 8, 4, 4), torch.randn(1, 2, 2, 2)), (200, 256), (400, 512), "model")
    cache.put("k", made)
    kept = cache.get("k")
    assert (kept.input_size, kept.original_size, kept.model_key) == ((200, 256), (400, 512), "model")
    assert kept.nbytes * 2 == made.nbytes
    assert all(torch.equal(a, b.half()) for a, b in zip(kept.tensors, made.tensors, strict=True))


@pytest.mark.parametrize("value", [1e5, float("inf"), float("nan")])
def test_values_beyond_half_precision_keep_their_own(value):
    cache = EmbeddingCache(1 << 20)
    tensors = (torch.tensor([[1.0, value]]), torch.tensor([[1.0]]))
    cache.put("k", Embedding(tensors, (1, 1), (1, 1), "m"))
    kept = cache.get("k").tensors
    assert kept[0].dtype == torch.float32 and kept[1].dtype == torch.float16
    assert np.array_equal(kept[0].numpy(), tensors[0].numpy(), equal_nan=True)


def test_a_slice_of_a_batch_does_not_keep_the_batch_alive():
    batch = torch.randn(8, 100).half()
    cache = EmbeddingCache(1 << 20)
    cache.put("k", Embedding((batch[:1],), (1, 1), (1, 1), "m"))
    assert cache.get("k").tensors[0].untyped_storage().nbytes() == 200


def test_a_hit_is_the_same_object_so_that_predictions_are_remembered():
    cache = EmbeddingCache(1 << 20)
    cache.put("k", an_embedding())
    assert cache.get("k") is cache.get("k")


def test_the_memory_budget_holds_and_the_least_recently_used_goes_first():
    cache = EmbeddingCache(5 * 2000)
    for number in range(5):
        cache.put(str(number), an_embedding(number))
    cache.get("0")
    cache.put("5", an_embedding(5))
    assert cache.get("1") is None and value_of(cache.get("0")) == 0
    assert cache.stats()["memory_bytes"] == 5 * 2000
    cache.put("5", an_embedding(6))
    assert value_of(cache.get("5")) == 6 and cache.stats()["memory_entries"] == 5


def test_the_embedding_in_use_stays_even_without_a_budget():
    cache = EmbeddingCache(0)
    cache.put("a", an_embedding(1))
    cache.put("b", an_embedding(2))
    assert cache.get("a") is None and value_of(cache.get("b")) == 2


def test_what_memory_forgot_is_found_on_disk_also_in_the_next_session(tmp_path):
    cache = EmbeddingCache(2000, tmp_path, 1 << 30)
    for number in (1, 2):
        cache.put(key_of(number), an_embedding(number))
    assert [cache.find(key_of(number)) for number in (2, 1, 1)] == ["memory", "disk", "memory"]
    assert value_of(EmbeddingCache(1 << 20, tmp_path).get(key_of(1))) == 1


def test_a_mask_does_not_depend_on_the_tier_its_embedding_came_from(tmp_path):
    cache = EmbeddingCache(1 << 20, tmp_path)
    made = Embedding((torch.randn(1, 300), torch.full((1, 3), 1e6)), (1, 1), (1, 1), "m")
    cache.put(key_of(1), made)
    from_disk = EmbeddingCache(1 << 20, tmp_path).get(key_of(1))
    for a, b in zip(cache.get(key_of(1)).tensors, from_disk.tensors, strict=True):
        assert a.dtype == b.dtype and torch.equal(a, b)


def test_hits_misses_and_bytes_are_counted(tmp_path):
    cache = EmbeddingCache(1 << 20, tmp_path)
    assert cache.stats()["hit_rate"] == 0
    assert cache.find(key_of(1)) is None
    cache.put(key_of(1), an_embedding())
    cache.find(key_of(1))
    again = EmbeddingCache(1 << 20, tmp_path)
    again.find(key_of(1))
    stats = cache.stats()
    assert (stats["memory_hits"], stats["disk_hits"], stats["misses"]) == (1, 0, 1)
    assert stats["hit_rate"] == 0.5 and stats["memory_bytes"] == 2000
    assert stats["disk_entries"] == 1 and stats["disk_bytes"] > 2000
    assert again.stats()["disk_hits"] == 1


def test_clearing_forgets_memory_and_disk(tmp_path):
    cache = EmbeddingCache(1 << 20, tmp_path)
    cache.put(key_of(1), an_embedding())
    cache.clear()
    assert cache.get(key_of(1)) is None
    assert cache.stats()["memory_bytes"] == 0 and cache.stats()["disk_entries"] == 0


def test_a_useless_folder_leaves_a_cache_in_memory_and_one_warning(tmp_path):
    (tmp_path / "file").write_text("")
    cache = EmbeddingCache(1 << 20, tmp_path / "file")
    cache.put(key_of(1), an_embedding(3))
    assert value_of(cache.get(key_of(1))) == 3
    assert "memory only" in cache.stats()["cache_warning"]


def test_many_threads_may_use_one_cache(tmp_path):
    cache, wrong = EmbeddingCache(6 * 2000, tmp_path, 20 * 3000), []

    def use(seed):
        rng = np.random.default_rng(seed)
        for number in rng.integers(0, 12, 150):
            found = cache.get(key_of(number))
            if found is None:
                cache.put(key_of(number), an_embedding(number))
            elif value_of(found) != number:
                wrong.append(number)

    threads = [threading.Thread(target=use, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stats = cache.stats()
    assert not wrong and stats["memory_bytes"] <= 6 * 2000
    assert stats["memory_bytes"] == stats["memory_entries"] * 2000
