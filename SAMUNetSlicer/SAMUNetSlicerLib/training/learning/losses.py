"""Compute the training loss: 20 focal + Dice as SAM's (Kirillov et al. 2023, appendix A), for soft targets.

SAM's focal loss counts the structure a third as much as the background (alpha 0.25), which makes masks too
small: on held-out patients the best threshold of the logits was -1 instead of 0, worth 0.02 to 0.03 Dice.
Here both count the same.
"""

from typing import Tuple

from torch import Tensor
from torch.nn import functional

FOCAL_WEIGHT, FOCAL_ALPHA, FOCAL_GAMMA = 20.0, 0.5, 2.0


def focal_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Compute the mean focal loss per mask, (n,); Lin et al. 2017 with alpha 0.5 and gamma 2.

    :param logits: (n, H, W), ``target`` (n, H, W) covered fraction in 0..1.
    """
    probability = logits.sigmoid()
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    error = (probability - target).abs()
    weight = FOCAL_ALPHA * target + (1 - FOCAL_ALPHA) * (1 - target)
    return (weight * error**FOCAL_GAMMA * cross_entropy).mean((1, 2))


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Compute 1 - soft Dice per mask, (n,), smoothed by 1 pixel; arguments as for `focal_loss`."""
    probability = logits.sigmoid()
    overlap = (probability * target).sum((1, 2))
    total = probability.sum((1, 2)) + target.sum((1, 2))
    return 1 - (2 * overlap + 1) / (total + 1)


def mask_loss(low_res_logits: Tensor, target: Tensor) -> Tensor:
    """Compute the mean loss of a batch at the target's resolution.

    :param low_res_logits: (n, 1, L, L); ``target`` (n, H, W) in 0..1.
    """
    logits = _at_size(low_res_logits, target)
    return (FOCAL_WEIGHT * focal_loss(logits, target) + dice_loss(logits, target)).mean()


def overlap(low_res_logits: Tensor, target: Tensor) -> Tuple[Tensor, Tensor]:
    """Compute Dice and IoU of the thresholded logits, (n,) each, without gradient; see `mask_loss`."""
    mask, truth = _at_size(low_res_logits.detach(), target) > 0, target > 0.5
    shared, total = (mask & truth).sum((1, 2)), mask.sum((1, 2)) + truth.sum((1, 2))
    return 2 * shared / total.clamp(min=1), shared / (total - shared).clamp(min=1)


def quality_loss(estimate: Tensor, iou: Tensor) -> Tensor:
    """Compute the mean squared error of the estimated IoU, (n,) each, as SAM's."""
    return functional.mse_loss(estimate.float(), iou)


def _at_size(low_res_logits, target):
    """Return the logits (n, H, W) at the target's resolution."""
    logits = low_res_logits.float()
    if logits.shape[-2:] != target.shape[-2:]:
        logits = functional.interpolate(logits, target.shape[-2:], mode="bilinear", align_corners=False)
    return logits.squeeze(1)
