"""Packs what a training run elsewhere needs into one folder below 60 MB.

    python Testing/gpu/pack.py CORPUS MOBILE_SAM.pt FOLDER

Images become WebP of quality 92, a fifth of their PNG and less altered than by the augmentation; masks and
manifest stay what they were.  MobileSAM's weights become half precision.
"""

import csv
import io
import sys
import zipfile
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))


from SAMUNetSlicerLib.engine.models import read_state_dict
from SAMUNetSlicerLib.training.learning import save_half


def pack_corpus(folder: Path, target: Path) -> None:
    """Write a corpus folder as one zip file."""
    with open(folder / "manifest.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for row in rows:
            picture = io.BytesIO()
            Image.open(folder / row["image"]).save(picture, "WEBP", quality=92)
            row["image"] = str(Path(row["image"]).with_suffix(".webp"))
            archive.writestr(row["image"], picture.getvalue())
            archive.write(folder / row["mask"], row["mask"])
        archive.writestr("manifest.csv", _table(rows))


def _table(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def main(corpus: str, weights: str, folder: str) -> None:
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    pack_corpus(Path(corpus), target / "corpus.zip")
    save_half(read_state_dict(weights), target / "mobile_sam.safetensors")
    for file in sorted(target.iterdir()):
        print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
