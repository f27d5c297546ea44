"""SAM-UNet of any size: trains, decodes batches, and its fast encoder is the same function."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from engine.toy_samunet import TINY, network
from SAMUNetSlicerLib.engine.networks import RES34, RES50, FastEncoder, SAMUNet

SIZES = {
    "basic blocks": TINY,
    "bottlenecks": replace(TINY, resnet_bottleneck=True),
    "windows that tile": replace(TINY, vit_window=3),
    "a window larger than the grid": replace(TINY, vit_window=8),
}
BOXES = torch.tensor([[10.0, 12, 60, 70], [30, 5, 90, 40]])


def images(count, config=TINY):
    return torch.randn(count, 3, config.image_size, config.image_size)


@pytest.mark.parametrize("config", SIZES.values(), ids=SIZES)
@torch.inference_mode()
def test_outputs_have_the_sizes_that_the_configuration_says(config):
    net = network(config)
    embedding, feature = net.encode_image(images(2))
    assert embedding.shape == (2, 32, config.grid_size, config.grid_size)
    assert feature.shape == (2, 4, config.low_res_size, config.low_res_size)
    assert net.decode_prompts(embedding, feature, boxes=BOXES).shape == (2, 1, 24, 24)


@pytest.mark.parametrize("config", SIZES.values(), ids=SIZES)
@torch.inference_mode()
def test_the_fast_encoder_is_the_same_function(config):
    net, x = network(config), images(3)
    for ours, expected in zip(FastEncoder(net, "cpu", torch.float32)(x), net.encode_image(x)):
        torch.testing.assert_close(ours, expected, atol=2e-4, rtol=1e-4)


@torch.inference_mode()
def test_the_fast_encoder_leaves_the_network_as_it_was():
    net, x = network(), images(1)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    FastEncoder(net, "cpu", torch.bfloat16)(x.bfloat16())
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


@torch.inference_mode()
def test_a_batch_of_images_equals_its_images_one_by_one():
    net, x = network(), images(2)
    together = net(x, boxes=BOXES)
    alone = torch.cat([net(x[i : i + 1], boxes=BOXES[i : i + 1]) for i in range(2)])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_one_embedding_serves_several_sets_of_prompts():
    net = network()
    embedding, feature = net.encode_image(images(1))
    together = net.decode_prompts(embedding, feature, boxes=BOXES)
    alone = torch.cat([net.decode_prompts(embedding, feature, boxes=box[None]) for box in BOXES])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(together[0], together[1], atol=1e-2)


@torch.inference_mode()
def test_no_points_means_the_same_as_points_left_out():
    net = network()
    encoded = net.encode_image(images(1))
    empty = {"points": torch.zeros(2, 0, 2), "labels": torch.zeros(2, 0)}
    assert torch.equal(
        net.decode_prompts(*encoded, boxes=BOXES), net.decode_prompts(*encoded, boxes=BOXES, **empty)
    )


def test_a_training_step_reaches_every_part_and_lowers_the_loss():
    net, x = network().train(), images(2)
    target = (torch.rand(2, 1, 24, 24) > 0.5).float()
    prompts = {
        "points": torch.tensor([[[20.0, 30.0], [5, 5]]] * 2),
        "labels": torch.tensor([[1, 0]] * 2),
        "mask_logits": torch.randn(2, 1, 24, 24),
    }
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    losses = []
    for _ in range(8):
        loss = nn.functional.binary_cross_entropy_with_logits(net(x, **prompts), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    corners = ("point_embeddings.2", "point_embeddings.3", "no_mask_embed")  # need a box, or no mask
    idle = [n for n, p in net.named_parameters() if p.grad is None and not any(c in n for c in corners)]
    assert idle == []
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize(("config", "millions"), [(RES34, 116.019884), (RES50, 138.428204)])
def test_the_published_sizes_have_the_published_number_of_parameters(config, millions):
    with torch.device("meta"):
        net = SAMUNet(config)
    assert sum(parameter.numel() for parameter in net.parameters()) == round(millions * 1e6)


@torch.inference_mode()
def test_in_bf16_most_of_the_error_stays_out_of_the_tokens():
    net, x = network(), images(2)
    expected = net.encode_image(x)[0]
    plain = network().bfloat16().encode_image(x.bfloat16())[0]
    fast = FastEncoder(net, "cpu", torch.bfloat16)(x.bfloat16())[0]
    assert fast.dtype == torch.float32
    assert (fast - expected).square().mean() < 0.8 * (plain - expected).square().mean()
