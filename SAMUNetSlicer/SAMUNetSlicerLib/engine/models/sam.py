"""Make SAM and its relatives promptable models: original SAM, MedSAM, LiteMedSAM, MobileSAM, SAM-Med2D.

What differs between them - the image encoder, how an image goes in, which prompts were trained - is in
their model cards; the prompt encoder and the mask decoder are the same.
"""

import copy

from ..networks import SamNetwork, decode_masks
from .cards import ModelCard
from .device import PRECISIONS
from .framed_model import FramedModel


class SamModel(FramedModel):
    """A network with weights, ready to encode and decode.

    :param network: in evaluation mode, frozen.
    """

    def __init__(self, network: SamNetwork, card: ModelCard, model_key: str):
        self._network = network
        super().__init__(card, model_key, network.prompt_encoder.mask_input_size[0])

    def _move(self, device, precision):
        # Decoding stays in fp32: it costs little and keeps masks.  The encoder is copied in its precision and
        # the original stays where it is, so that a later move starts from fp32 again.
        network = self._network
        network.prompt_encoder.to(device)
        network.mask_decoder.to(device)
        in_place = (device, precision) == ("cpu", "fp32")
        encoder = network.image_encoder if in_place else copy.deepcopy(network.image_encoder)
        self._encoder = encoder.to(device, PRECISIONS[precision])
        position = network.prompt_encoder.get_dense_pe()
        self._position = position.flatten(2).transpose(1, 2).contiguous()

    def _encode(self, batch):
        return (self._encoder(batch.to(PRECISIONS[self._placement[1]])).float(),)

    def _decode(self, tensors, points, boxes, masks):
        sparse, dense = self._network.prompt_encoder(points, boxes, masks)
        return decode_masks(
            self._network.mask_decoder,
            tensors[0],
            self._position,
            sparse,
            dense,
            self.capabilities.multimask,
        )
