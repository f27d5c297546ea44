"""An image goes through the pipe once, and both ends hold and drop the same ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from SAMUNetSlicerLib.engine.serving import FrameError, ImageReceiver, ImageSender, Message


def request(image):
    return Message("predict", {"ticket": 1}, {"image": image, "points": np.zeros((0, 2), np.float32)})


def test_the_pixels_of_an_image_are_sent_once():
    sender, receiver, image = ImageSender(), ImageReceiver(), np.ones((4, 5), np.uint8)
    first, second = sender.shortened(request(image)), sender.shortened(request(image))
    assert set(first.arrays) == {"image", "points"} and set(second.arrays) == {"points"}
    assert receiver.completed(first).arrays["image"] is image
    assert receiver.completed(second).arrays["image"] is image


def test_an_equal_image_that_is_another_array_is_sent():
    sender = ImageSender()
    sender.shortened(request(np.ones((4, 5), np.uint8)))
    assert "image" in sender.shortened(request(np.ones((4, 5), np.uint8))).arrays


def test_messages_without_an_image_pass_as_they_are():
    message = Message("cancel", {"ticket": 3})
    assert ImageSender().shortened(message) is message
    assert ImageReceiver().completed(message) is message


def test_an_image_that_was_never_sent_is_refused():
    sender, image = ImageSender(), np.ones((4, 5), np.uint8)
    sender.shortened(request(image))
    with pytest.raises(FrameError, match="image 1 is unknown"):
        ImageReceiver().completed(sender.shortened(request(image)))


@given(st.lists(st.integers(0, 30), max_size=120))
def test_whatever_is_asked_for_the_receiver_has_it(asked):
    images = [np.full((3, 3), number, np.uint8) for number in range(31)]
    sender, receiver = ImageSender(), ImageReceiver()
    for number in asked:
        sent = sender.shortened(request(images[number]))
        if "image" in sent.arrays:  # as a pipe does: the same pixels in another array
            sent.arrays["image"] = sent.arrays["image"].copy()
        assert receiver.completed(sent).arrays["image"][0, 0] == number


def test_large_images_are_not_hoarded():
    sender, large = ImageSender(), [np.zeros((5000, 7000), np.uint8) for _ in range(3)]
    for image in large:
        sender.shortened(request(image))
    assert "image" not in sender.shortened(request(large[2])).arrays
    assert "image" in sender.shortened(request(large[0])).arrays
