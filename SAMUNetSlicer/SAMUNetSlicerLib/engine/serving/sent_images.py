"""Send the pixels of an image through the pipe once, however many requests are about it.

Both ends see the same messages in the same order, and so they keep and drop the same images: what the
sender leaves out, the receiver has.
"""

from collections import OrderedDict
from dataclasses import replace
from typing import Optional

import numpy as np

from .frames import FrameError, Message

_NAME = "image"
_MOST_IMAGES = 16
_MOST_BYTES = 64 << 20


class _Recent:
    """Hold the images sent last by their numbers: at most 16, and at most 64 MB unless it is only one."""

    def __init__(self):
        self._images: OrderedDict[int, np.ndarray] = OrderedDict()

    def __contains__(self, number: int) -> bool:
        return number in self._images

    def number_of(self, image: np.ndarray) -> Optional[int]:
        """Return the number of this very array, None if it is not held."""
        return next((number for number, held in self._images.items() if held is image), None)

    def use(self, number: int) -> np.ndarray:
        """Return an image that is held, and keep it longest from now on."""
        self._images.move_to_end(number)
        return self._images[number]

    def add(self, number: int, image: np.ndarray) -> None:
        """Hold an image in place of those that were not used for longest."""
        self._images[number] = image
        while len(self._images) > 1 and self._is_full():
            self._images.popitem(last=False)

    def _is_full(self) -> bool:
        held = sum(image.nbytes for image in self._images.values())
        return len(self._images) > _MOST_IMAGES or held > _MOST_BYTES


class ImageSender:
    """Leave out of messages the images that the receiver has.

    An image is known by being the same array: it must not be written to once it was sent.
    """

    def __init__(self):
        self._recent = _Recent()
        self._last = 0

    def shortened(self, message: Message) -> Message:
        """Return the message with a number for its image, and without pixels that the receiver has."""
        image = message.arrays.get(_NAME)
        if image is None:
            return message
        number = self._recent.number_of(image)
        if number is None:
            self._last += 1
            self._recent.add(self._last, image)
            return replace(message, fields={**message.fields, _NAME: self._last})
        self._recent.use(number)
        arrays = {name: array for name, array in message.arrays.items() if name != _NAME}
        return replace(message, fields={**message.fields, _NAME: number}, arrays=arrays)


class ImageReceiver:
    """Put the images back that an `ImageSender` has left out."""

    def __init__(self):
        self._recent = _Recent()

    def completed(self, message: Message) -> Message:
        """Return the message with its image.

        :raises FrameError: the image was never sent; the stream cannot be used further.
        """
        number = message.fields.get(_NAME)
        if number is None:
            return message
        image = message.arrays.get(_NAME)
        if image is not None:
            self._recent.add(number, image)
            return message
        if number not in self._recent:
            raise FrameError(f"The engine's stream is damaged: image {number} is unknown")
        return replace(message, arrays={**message.arrays, _NAME: self._recent.use(number)})
