import pytest
import torch

from SAMUNetSlicerLib.training.learning import FrozenStages
from training.corpora import tiny_network


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("bf16", 0.1)])
def test_the_quick_stages_answer_as_those_of_the_network(precision, tolerance):
    torch.manual_seed(0)
    network = tiny_network().eval()
    images = torch.randn(2, 3, 64, 64)
    frozen = FrozenStages(network.image_encoder, precision)(images)
    with torch.no_grad():
        expected = network.encode_image(images)
        found = network.encode_image(images, tuple(tokens.float() for tokens in frozen))
    for one, other in zip(found, expected):
        assert (one - other).abs().max() <= tolerance * other.abs().max()


def test_gradients_pass_the_stages_that_follow():
    network = tiny_network()
    frozen = FrozenStages(network.image_encoder, "fp32")(torch.randn(1, 3, 64, 64))
    network.encode_image(torch.randn(1, 3, 64, 64), frozen)[0].square().sum().backward()
    assert network.image_encoder.neck[0].weight.grad.abs().sum() > 0
    assert network.image_encoder.patch_embed.seq[0].c.weight.grad is None
