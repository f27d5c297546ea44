from dataclasses import replace

import pytest
import torch

from SAMUNetSlicerLib.engine.networks import CompactSAMUNet, MaskDecoder, PromptEncoder, TwoWayTransformer
from SAMUNetSlicerLib.errors import WeightsError
from SAMUNetSlicerLib.training.learning import Decoding, from_mobile_sam, start_from, with_decoder_of
from training.corpora import TINY, tiny_network

IMAGE = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def test_the_shipped_size_stays_below_25_megabytes_in_half_precision():
    with torch.device("meta"):
        network = CompactSAMUNet()
    assert 2 * sum(parameter.numel() for parameter in network.parameters()) < 24e6
    assert network.low_res_size == 224


def test_an_image_becomes_an_embedding_a_feature_and_a_detail():
    embedding, feature, detail = tiny_network().eval().encode_image(IMAGE)
    assert detail.shape == (2, 8, 32, 32)
    assert embedding.shape == (2, 256, 4, 4)
    assert feature.shape == (2, 32, 16, 16)


@pytest.mark.parametrize("box", [None, torch.tensor([[4.0, 5.0, 40.0, 50.0]])])
@pytest.mark.parametrize("mask", [None, torch.randn(1, 1, 32, 32)])
@pytest.mark.parametrize("points", [0, 1, 3])
def test_every_combination_of_prompts_makes_one_mask(box, mask, points):
    network = tiny_network().eval()
    encoded = tuple(tensor[:1] for tensor in network.encode_image(IMAGE))
    clicks = (
        (torch.rand(1, points, 2) * 64, torch.ones(1, points, dtype=torch.int)) if points else (None, None)
    )
    assert network.decode_prompts(*encoded, *clicks, box, mask).shape == (1, 1, 32, 32)


def test_gradients_reach_every_added_part_and_stop_before_the_early_stages():
    network = CompactSAMUNet(TINY)
    network.image_encoder.requires_grad_(False)
    logits = network.decode_prompts(*network.encode_image(IMAGE), boxes=torch.tensor([[4.0, 5, 40, 50]] * 2))
    logits.square().sum().backward()
    for name, parameter in network.named_parameters():
        if name.startswith(("resnet.", "adapters", "embedding_encoder", "detail_", "mask_decoder.detail")):
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name
    assert all(parameter.grad is None for parameter in network.image_encoder.parameters())


def _sam_parts():
    torch.manual_seed(1)
    prompts = PromptEncoder(256, (4, 4), (64, 64), 16)
    decoder = MaskDecoder(transformer_dim=256, transformer=TwoWayTransformer(2, 256, 8, 2048))
    encoder = tiny_network().image_encoder
    parts = {"image_encoder.": encoder, "prompt_encoder.": prompts, "mask_decoder.": decoder}
    weights = {prefix + n: t for prefix, part in parts.items() for n, t in part.state_dict().items()}
    return weights, encoder.eval(), prompts, decoder.eval()


def test_before_training_it_is_sam_with_its_single_mask():
    weights, encoder, prompts, decoder = _sam_parts()
    network = CompactSAMUNet(TINY)
    from_mobile_sam(weights, network)
    network.eval()
    box = torch.tensor([[4.0, 5.0, 40.0, 50.0]])
    sparse, dense = prompts(None, box, None)
    with torch.inference_mode():
        embedding = encoder(IMAGE[:1])
        expected, _ = decoder(embedding, prompts.get_dense_pe(), sparse, dense, multimask_output=False)
        logits = network.decode_prompts(*network.encode_image(IMAGE[:1]), boxes=box)
    doubled = torch.nn.functional.interpolate(expected, scale_factor=2, mode="bilinear")
    assert torch.allclose(logits, doubled, atol=1e-4)


def test_the_quality_head_begins_with_sams_estimate_for_the_single_mask():
    weights, encoder, prompts, decoder = _sam_parts()
    network = CompactSAMUNet(replace(TINY, quality=True))
    from_mobile_sam(weights, network)
    network.eval()
    box = torch.tensor([[4.0, 5.0, 40.0, 50.0]])
    with torch.inference_mode():
        embedding = encoder(IMAGE[:1])
        _, expected = decoder(
            embedding, prompts.get_dense_pe(), *prompts(None, box, None), multimask_output=False
        )
        _, estimate = Decoding(network)(network.encode_image(IMAGE[:1]), boxes=box)
    assert torch.allclose(estimate, expected[:, 0], atol=1e-4)


def test_a_start_without_a_quality_head_leaves_the_head_as_it_is():
    network = CompactSAMUNet(replace(TINY, quality=True))
    before = network.mask_decoder.quality.layers[0].weight.clone()
    start_from(tiny_network().state_dict(), network)
    assert torch.equal(network.mask_decoder.quality.layers[0].weight, before)


def test_weights_of_another_network_are_refused():
    weights, *_ = _sam_parts()
    weights["image_encoder.something"] = torch.ones(1)
    with pytest.raises(WeightsError, match="first image_encoder"):
        from_mobile_sam(weights, CompactSAMUNet(TINY))


def test_the_detail_draws_what_the_grid_of_stride_four_cannot():
    network = tiny_network().eval()
    torch.nn.init.normal_(network.mask_decoder.detail_refinement.weight)
    with torch.inference_mode():
        *encoded, detail = (tensor[:1] for tensor in network.encode_image(IMAGE))
        checks = torch.zeros_like(detail)
        checks[..., ::2, ::2] = 5
        box = torch.tensor([[4.0, 5.0, 40.0, 50.0]])
        smooth, fine = (network.decode_prompts(*encoded, d, boxes=box) for d in (detail * 0, checks))
    change = (fine - smooth)[0, 0]
    assert change.std() > 3 * torch.nn.functional.avg_pool2d(change[None], 2).std()


def test_a_start_may_be_a_compact_sam_unet_or_mobilesam():
    mobile, *_ = _sam_parts()
    own = tiny_network().state_dict()
    for weights in (mobile, own):
        network = CompactSAMUNet(TINY)
        start_from(weights, network)
        name = "prompt_encoder.sam_prompt_encoder.no_mask_embed.weight"
        expected = weights.get(name, weights.get("prompt_encoder.no_mask_embed.weight"))
        assert torch.equal(network.state_dict()[name], expected)


def test_another_sams_decoder_replaces_all_but_the_encoder():
    weights, *_ = _sam_parts()
    other = {name: tensor + 1 for name, tensor in weights.items()}
    joined = with_decoder_of(other, weights)
    assert joined.keys() == weights.keys()
    for name, tensor in joined.items():
        assert torch.equal(tensor, (weights if name.startswith("image_encoder.") else other)[name]), name
