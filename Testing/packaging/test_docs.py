"""The documentation: links lead somewhere, pages made from the sources are current, examples are valid."""

import json
import re

import jsonschema
import pytest

import docs_pages
from source_tree import LIBRARY, REPOSITORY

PAGES = sorted(
    path
    for folder in ("", "docs/", "docs/decisions/", "Resources/*/", "Testing/gpu/")
    for path in REPOSITORY.glob(f"{folder}*.md")
)
MOST_README_LINES = 130
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
FENCED = re.compile(r"^```.*?^```", re.M | re.S)


def text_of(path):
    return path.read_text(encoding="utf-8")


def links_of(path):
    """Yield the links of a page to files and anchors of the repository."""
    for match in LINK.finditer(FENCED.sub("", text_of(path))):
        target = match[1] or match[2]
        if not re.match(r"https?://", target):
            yield target


def anchors_of(path):
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", text_of(path)), re.M)
    words = [re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", each)) for each in headings]
    return {each.strip().lower().replace(" ", "-") for each in words}


def destination(page, target):
    return (page.parent / target.partition("#")[0]).resolve() if target[0] != "#" else page


def test_all_pages_are_found():
    names = {path.relative_to(REPOSITORY).as_posix() for path in PAGES}
    assert {
        "README.md",
        "CONTRIBUTING.md",
        "docs/cli.md",
        "docs/decisions/0001-engine-in-a-process.md",
    } <= names


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_every_link_leads_to_a_file_of_the_repository_and_to_a_heading_in_it(page):
    lost = []
    for target in links_of(page):
        path, anchor = destination(page, target), target.partition("#")[2]
        if not path.exists() or not path.is_relative_to(REPOSITORY):
            lost.append(target)
        elif anchor and anchor not in anchors_of(path):
            lost.append(target)
    assert not lost


def test_every_page_of_the_documentation_can_be_reached_from_the_readme():
    reached, waiting = set(), [REPOSITORY / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        targets = {destination(page, target) for target in links_of(page)}
        waiting += [path for path in targets - reached if path.suffix == ".md" and path not in waiting]
    assert not [path for path in PAGES if path not in reached]


def test_every_source_file_that_a_page_names_exists():
    named = {
        (page.name, name)
        for page in PAGES
        for name in re.findall(r"`(?:[\w./-]+/python |python )?([\w./-]+/[\w.-]+\.py)[^`]*`", text_of(page))
    }
    assert named
    assert not [
        each for each in named if not any((root / each[1]).is_file() for root in (REPOSITORY, LIBRARY))
    ]


def test_the_readme_is_short():
    assert text_of(REPOSITORY / "README.md").count("\n") <= MOST_README_LINES


def test_the_command_line_reference_is_written_from_the_parser():
    assert text_of(docs_pages.DOCS / "cli.md") == docs_pages.cli_page(), "run python Testing/docs_pages.py"


def test_the_table_of_packages_is_written_from_their_docstrings():
    text = text_of(docs_pages.DOCS / "architecture.md")
    assert text == docs_pages.with_packages(text), "run python Testing/docs_pages.py"


def test_the_example_of_a_prompts_file_is_one():
    text = text_of(docs_pages.DOCS / "prompts-file.md")
    schema = json.loads(text_of(LIBRARY / "app" / "prompts" / "prompts.schema.json"))
    (example,) = (json.loads(each) for each in re.findall(r"^```json\n(.*?)^```", text, re.M | re.S))
    jsonschema.validate(example, schema)
    options = re.findall(r"^```json\n(.*?)^```", text_of(docs_pages.DOCS / "propagation.md"), re.M | re.S)
    for each in options:
        example["segments"][0].update(json.loads(f"{{{each}}}"))
        jsonschema.validate(example, schema)
    assert options
