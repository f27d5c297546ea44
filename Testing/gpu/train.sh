#!/bin/sh
# One training run on one GPU.  Usage: sh Testing/gpu/train.sh PACK RUN OUT [MINUTES] [START]
#   PACK  folder made by pack.py     RUN  folder of the run on that machine; a run found there goes on
#   START what to begin with: PACK's MobileSAM if not given, samunet_compact for the shipped weights
#   OUT   gets the weights in parts below 16 MB, the log and what the weights were made of
set -eu
pack=$1 run=$2 out=$3 minutes=${4:-22} start=${5:-$1/mobile_sam.safetensors}
mkdir -p "$run" "$out"
[ -d "$run/corpus" ] || python3 -c "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])" \
    "$pack/corpus.zip" "$run/corpus"
python3 -c "import importlib.util as u, sys; sys.exit(u.find_spec('segment_anything') is None)" || python3 -m pip install --no-deps --quiet "$pack"/*.whl
PYTHONPATH=SAMUNetSlicer python3 -m SAMUNetSlicerLib.cli.main train \
    --data "$run/corpus" --start "$start" --output "$run/model" \
    --minutes "$minutes" --batch-size 32 --workers "$(nproc)" --device cuda --precision bf16
split -b 15000000 "$run/model/samunet_compact.safetensors" "$out/samunet_compact.safetensors."
cp "$run/model/log.csv" "$run/model/log.png" "$run/model/provenance.json" "$out"
