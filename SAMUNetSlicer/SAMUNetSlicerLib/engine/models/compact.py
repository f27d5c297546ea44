"""Make the compact SAM-UNet a promptable model."""

from ..networks import CompactSAMUNet, decode_compact, fold_batch_norm
from .cards import ModelCard
from .device import PRECISIONS
from .framed_model import FramedModel


def prepared(network: CompactSAMUNet) -> CompactSAMUNet:
    """Return the network for inference only: frozen, batch normalization of the transformer folded away."""
    network.eval().requires_grad_(False)
    fold_batch_norm(network.image_encoder)
    return network


class CompactModel(FramedModel):
    """A network with weights, ready to encode and decode.

    :param network: in evaluation mode, `prepared` or as it is.
    """

    def __init__(self, network: CompactSAMUNet, card: ModelCard, model_key: str):
        self._network = network
        super().__init__(card, model_key, network.low_res_size)

    def _move(self, device, precision):
        self._network.to(device)
        # Decoding stays in fp32: it costs little and keeps masks.
        for part in self._network.encoding_parts():
            part.to(PRECISIONS[precision])
        position = self._network.prompt_encoder.dense_position()
        self._position = position.flatten(2).transpose(1, 2).contiguous()

    def _encode(self, batch):
        batch = batch.to(PRECISIONS[self._placement[1]])
        return tuple(tensor.float() for tensor in self._network.encode_image(batch))

    def _decode(self, tensors, points, boxes, masks):
        clicks, labels = points or (None, None)
        embedded = self._network.embed_prompts(clicks, labels, boxes, masks)
        return decode_compact(self._network.mask_decoder, *tensors, self._position, *embedded)
