"""Make SAM-UNet with ResNet-34 or -50 a promptable model."""

import torch
from torch import Tensor
from torch.nn import functional

from ..networks import FastEncoder, SAMUNet, SAMUNetMaskDecoder, folded_product, two_way, upscaled
from .cards import ModelCard
from .device import PRECISIONS
from .framed_model import FramedModel


class SAMUNetModel(FramedModel):
    """A network with weights, ready to encode and decode.

    :param network: in evaluation mode, frozen.
    """

    def __init__(self, network: SAMUNet, card: ModelCard, model_key: str):
        self._network = network
        super().__init__(card, model_key, network.config.low_res_size)

    def _move(self, device, precision):
        # Decoding stays in fp32: it costs little and keeps masks.  What only the encoder needs is copied in
        # its precision; the original stays where it is, so that a later move starts from fp32 again.
        network = self._network
        self._encoder = None  # its memory may be what the next one needs
        self._encoder = FastEncoder(network, device, PRECISIONS[precision])
        network.prompt_encoder.to(device)
        network.mask_decoder.to(device)
        self._position = network.prompt_encoder.dense_position().flatten(2).transpose(1, 2).contiguous()

    def _encode(self, batch):
        batch = batch.to(PRECISIONS[self._placement[1]])
        return tuple(tensor.float() for tensor in self._encoder(batch))

    def _decode(self, tensors, points, boxes, masks):
        clicks, labels = points or (None, None)
        embedded = self._network.prompt_encoder(clicks, labels, boxes, masks)
        return decode_samunet(self._network.mask_decoder, *tensors, self._position, *embedded), None


def decode_samunet(
    decoder: SAMUNetMaskDecoder,
    embedding: Tensor,
    feature: Tensor,
    position: Tensor,
    sparse: Tensor,
    dense: Tensor,
) -> Tensor:
    """Decode like `SAMUNetMaskDecoder.forward`, for inference: logits (n, 4h, 4w) that differ by rounding.

    :param embedding: (1, C, h, w), ``feature``: (1, C/8, 4h, 4w), of one image.
    :param position: (1, h*w, C), the embedding's positional encoding as tokens.
    :param sparse: (n, t, C) and ``dense``: (n, C, h, w), from the prompt encoder.
    """
    tokens = torch.cat([decoder.med_token.weight.expand(len(sparse), 1, -1), sparse], 1)
    pixels = (embedding + dense).flatten(2).transpose(1, 2).contiguous()
    tokens, pixels = two_way(decoder.sam_mask_decoder.transformer, tokens, pixels, position, 1)
    kernels = decoder.hf_mlp(tokens[:, 0])
    fine = upscaled(decoder.sam_mask_decoder.output_upscaling, pixels, embedding.shape[-2:])
    first, norm, _, second = decoder.embedding_maskfeature
    hidden = first(fine).permute(0, 2, 3, 1)
    hidden = functional.gelu(
        functional.layer_norm(hidden, norm.weight.shape, norm.weight, norm.bias, norm.eps)
    )
    refined = folded_product(second, hidden.permute(0, 3, 1, 2), kernels)
    return refined + torch.einsum("nc,bchw->nhw", kernels, feature)
