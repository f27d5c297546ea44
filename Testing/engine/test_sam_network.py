"""The networks have the parameters, names and sizes of the published ones; the decoder gives SAM's masks."""

import pytest
import torch
from torch.nn import functional

from engine.sam_networks import TINY_SAM_VIT, small_network
from SAMUNetSlicerLib.engine.models import load_catalog, load_weights
from SAMUNetSlicerLib.engine.networks import ImageEncoderViT, build_sam_network, decode_masks
from SAMUNetSlicerLib.errors import WeightsError


def published(model_id):
    """The network of a card, without memory for its parameters."""
    card = load_catalog().get(model_id)
    with torch.device("meta"):
        return build_sam_network(card.architecture, card.input.size, card.config)


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("model_id", "count"),
    [
        ("litemedsam", 9_791_300),
        ("mobilesam", 10_130_092 - 321_640),  # without the classifier that its file carries
        ("sam_vit_b", 93_735_472),
        ("sam_vit_l", 312_342_832),
        ("sam_vit_h", 641_090_608),
        ("medsam_vit_b", 93_735_472),
        ("sammed2d", 271_241_776),
    ],
)
def test_the_network_has_as_many_parameters_as_the_published_one(model_id, count):
    assert parameters(published(model_id)) == count


@pytest.mark.parametrize("model_id", ["litemedsam", "sam_vit_b", "sam_vit_l", "sam_vit_h"])
def test_the_published_file_holds_the_parameters_of_the_network(model_id):
    state = published(model_id).state_dict()
    content = sum(value.numel() * value.element_size() for value in state.values())
    overhead = load_catalog().get(model_id).size_bytes - content
    assert 0 < overhead < 600 * len(state)


def test_sam_vit_b_has_the_names_of_its_checkpoint():
    state = published("sam_vit_b").state_dict()
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    assert len(shapes) == 314
    assert shapes["image_encoder.pos_embed"] == (1, 64, 64, 768)
    assert shapes["image_encoder.blocks.0.attn.rel_pos_h"] == (27, 64)
    assert shapes["image_encoder.blocks.11.attn.rel_pos_w"] == (127, 64)
    assert shapes["image_encoder.neck.3.bias"] == (256,)
    assert shapes["prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"] == (2, 128)
    assert shapes["prompt_encoder.mask_downscaling.6.weight"] == (256, 16, 1, 1)
    assert shapes["mask_decoder.iou_prediction_head.layers.2.weight"] == (4, 256)
    assert shapes["mask_decoder.output_hypernetworks_mlps.3.layers.2.weight"] == (32, 256)
    assert "mask_decoder.transformer.final_attn_token_to_image.out_proj.bias" in shapes


def test_sam_med2d_has_sam_vit_bs_names_and_those_of_its_adapters():
    state = published("sammed2d").state_dict()
    adapters = {key for key in state if ".Adapter." in key}
    parts = (
        "norm.weight",
        "norm.bias",
        "channel.0.weight",
        "channel.2.weight",
        "spatial.0.weight",
        "spatial.2.weight",
    )
    assert adapters == {f"image_encoder.blocks.{n}.Adapter.{part}" for n in range(12) for part in parts}
    assert state.keys() - adapters == published("sam_vit_b").state_dict().keys()
    assert sum(state[key].numel() for key in adapters) == 180_504_576
    assert len(state) == 386
    assert state["image_encoder.pos_embed"].shape == (1, 16, 16, 768)
    assert state["image_encoder.blocks.0.Adapter.spatial.2.weight"].shape == (768, 768, 4, 4)


def test_weights_of_another_size_of_sam_are_refused():
    state = published("sam_vit_l").state_dict()
    with pytest.raises(WeightsError, match="of another shape"):
        load_weights(published("sam_vit_b"), state, "sam_vit_l_0b3195.pth")


def test_adapters_are_added_to_the_mlp_of_every_block():
    torch.manual_seed(0)
    network = build_sam_network("sam_med2d", 64, TINY_SAM_VIT).eval().image_encoder
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        tokens = network.patch_embed(x) + network.pos_embed
        for block in network.blocks:
            attended = tokens + _attention(block, tokens)
            normal = block.norm2(attended)
            mlp = block.mlp.lin2(functional.gelu(block.mlp.lin1(normal)))
            tokens = attended + mlp + _published_adapter(block.Adapter, normal)
        expected = network.neck(tokens.permute(0, 3, 1, 2))
        assert torch.allclose(network(x), expected, atol=1e-5)


def _attention(block, tokens):
    """What the block's attention adds, found by leaving out its MLP."""
    shape = block.norm1(tokens).shape[1:3]
    if block.window_size == 0:
        return block.attn(block.norm1(tokens))
    size = block.window_size
    padded = functional.pad(block.norm1(tokens), (0, 0, 0, size - shape[1], 0, size - shape[0]))
    return block.attn(padded)[:, : shape[0], : shape[1]]


def _published_adapter(adapter, normal):
    x = normal.permute(0, 3, 1, 2)
    gate = adapter.channel(functional.adaptive_avg_pool2d(x, 1).flatten(1))[..., None, None]
    return adapter.norm((x + adapter.spatial(gate * x)).permute(0, 2, 3, 1))


def test_the_vit_is_the_packages_own():
    assert isinstance(published("sam_vit_h").image_encoder, ImageEncoderViT)


def prompts(kind, count):
    """Inputs of SAM's prompt encoder: (points, labels) or None, boxes or None, masks or None."""
    generator = torch.Generator().manual_seed(count)
    points = torch.rand(count, 12 if kind == "many points" else 2, 2, generator=generator) * 64
    labels = torch.randint(0, 2, points.shape[:2], generator=generator)
    boxes = torch.rand(count, 4, generator=generator) * 64
    masks = torch.randn(count, 1, 64, 64, generator=generator)
    return {
        "box": (None, boxes, None),
        "points": ((points, labels), None, None),
        "many points": ((points, labels), None, None),
        "box and points": ((points, labels), boxes, None),
        "mask and points": ((points, labels), None, masks),
        "mask": (None, None, masks),
    }[kind]


@pytest.mark.parametrize("multimask", [False, True])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    "kind", ["box", "points", "many points", "box and points", "mask and points", "mask"]
)
def test_the_regrouped_decoder_gives_sams_logits(kind, count, multimask):
    network = small_network()
    decoder = network.mask_decoder
    torch.manual_seed(1)
    for parameter in decoder.parameters():
        parameter.add_(0.02 * torch.randn_like(parameter))
    image = torch.randn(1, 256, 16, 16)
    position = network.prompt_encoder.get_dense_pe()
    with torch.inference_mode():
        sparse, dense = network.prompt_encoder(*prompts(kind, count))
        masks, estimates = decoder(image, position, sparse, dense, multimask)
        best = estimates.argmax(1)
        logits, estimate = decode_masks(
            decoder, image, position.flatten(2).transpose(1, 2), sparse, dense, multimask
        )
    index = torch.arange(count)
    assert torch.allclose(logits, masks[index, best], atol=1e-4 * masks.std().item())
    assert torch.allclose(estimate, estimates[index, best], atol=1e-5)
