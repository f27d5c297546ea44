"""The language of the repository: US English everywhere."""

import re
import subprocess

import pytest

from source_tree import REPOSITORY

# Parts of words that only British English spells so.
BRITISH = """
    analyse\\b analysed analysing artefact behaviour catalogue centre centring colour favour grey honour
    judgement
    labelled labelling learnt licence millimetre modelled modelling neighbour travelled tumour whilst
    initialis normalis optimis organis(?!m) recognis serialis summaris visualis
"""
WRONG = re.compile("|".join(BRITISH.split()), re.IGNORECASE)
# Not ours to change: a key of model cards and corpora that users have; a name that extension catalogs take.
ALLOWED = re.compile(r"[\"']licence[\"']|labels, licence, patient|\"LICENCE\"")
SKIPPED = {"LICENSE.txt", "Testing/packaging/test_words.py"}


def test_spelling_is_that_of_the_us():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True)
    names = set(filter(None, listing.stdout.decode().split("\0"))) - SKIPPED
    assert not {name: words for name in sorted(names) if (words := _wrong_words(name))}


@pytest.mark.parametrize(
    "text", ["Centre of a voxel", "greyLevels", "NEIGHBOURS", "a licence", "is normalised"]
)
def test_british_words_are_found_in_prose_and_in_names(text):
    assert WRONG.search(ALLOWED.sub("", text))


@pytest.mark.parametrize("text", ['{"licence": "MIT"}', "organism", "analyses of center and color"])
def test_data_keys_and_us_words_are_left_alone(text):
    assert not WRONG.search(ALLOWED.sub("", text))


def _wrong_words(name):
    path = REPOSITORY / name
    content = path.read_bytes() if path.is_file() else b""
    text = "" if b"\0" in content else content.decode("utf-8")
    return WRONG.findall(ALLOWED.sub("", f"{name}\n{text}"))
