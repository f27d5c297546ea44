"""Small corpora and networks that the tests of training share."""

import csv
import json

import numpy as np
from PIL import Image

from SAMUNetSlicerLib.engine.models import ModelCard
from SAMUNetSlicerLib.engine.networks import CompactSAMUNet, SAMUNetConfig

TINY = SAMUNetConfig(image_size=64, resnet_blocks=(1, 1, 1, 1), resnet_width=8, bridge_width=16)


def tiny_network():
    network = CompactSAMUNet(TINY)
    network.start_as_sam()
    return network


def disc(side, x, y, radius):
    rows, columns = np.mgrid[:side, :side]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def disc_pair(side=80, x=40, y=40, radius=15):
    """A bright disc (label 1) and a square (label 2) on a dark ground."""
    labels = disc(side, x, y, radius).astype(np.int32)
    labels[4:16, 4:16] = 2
    image = np.where(labels == 1, 200, np.where(labels == 2, 120, 30)).astype(np.uint8)
    return image, labels


def write_corpus(folder, patients=6, source="Discs", license="CC0-1.0"):
    """A corpus folder with one image per patient; returns the folder."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows = []
    for patient in range(patients):
        image, labels = disc_pair(x=30 + patient, radius=10 + patient)
        stem = f"{source}__{patient}.png"
        Image.fromarray(image).save(folder / "images" / stem)
        Image.fromarray(labels.astype(np.uint8)).save(folder / "masks" / stem)
        names = json.dumps({"1": "disc", "2": "square"})
        rows.append([f"images/{stem}", f"masks/{stem}", source, "XR", names, license, f"p{patient}"])
    with open(folder / "manifest.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "mask", "source", "modality", "labels", "licence", "patient"])
        writer.writerows(rows)
    return folder


def compact_card(size=64, **changes):
    """A model card of a compact SAM-UNet that sees ``size`` pixels."""
    entry = {
        "id": "compact_test",
        "title": "Compact SAM-UNet",
        "summary": "For tests.",
        "architecture": "samunet_compact",
        "input": {"size": size, "fit": "pad", "resample": "bilinear", "range": "imagenet"},
        "prompts": {"points": True, "boxes": True, "mask": "logits", "multimask": False, "iou": False},
        "file": "compact.safetensors",
        "sources": [{"kind": "user", "page": "https://example.org"}],
        "sha256": None,
        "size_bytes": None,
        "licence": {"code": "Apache-2.0", "weights": "Apache-2.0"},
        "training_data": "None.",
        "accuracy": [],
        "citation": "None.",
        "homepage": "https://example.org",
        "limits": [],
    }
    return ModelCard.from_json({**entry, **changes})
