"""Write what follows from the sources in docs/: cli.md, and the table of packages in architecture.md.

    python Testing/docs_pages.py

``test_docs.py`` compares them with the sources.
"""

import argparse
import ast
import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
MODULE = REPOSITORY / "SAMUNetSlicer"
LIBRARY = MODULE / "SAMUNetSlicerLib"
DOCS = REPOSITORY / "docs"
LAYERS = ("cli", "ui", "viewer", "app", "scene", "engine", "training")

CLI_HEAD = """\
# Command line reference

Every command and option of `samunet`. This page is written from the program itself by
`python Testing/docs_pages.py`; `samunet COMMAND --help` prints the same. What the commands are for:
[prompts file](prompts-file.md), [propagation](propagation.md), [batch](batch.md), [export](export.md),
[networks and weights](networks-and-weights.md), [training](training.md), [browser](browser.md).

Volumes: NRRD, NIfTI, MetaImage, a DICOM folder, PNG, JPEG, TIFF. Results go to standard output, notes and
progress bars to standard error.

## Exit codes

| Code | Meaning |
|---|---|
| 0 | done |
| 1 | another failure: a case of a batch failed, a replayed mask differs, the doctor found a problem |
| 2 | wrong usage |
| 3 | input: the volume or another file cannot be read |
| 4 | prompts |
| 5 | weights |
| 6 | output |
| 7 | engine |
| 130 | canceled by Ctrl-C |

## Options of every command

| | |
|---|---|
| `--help` | explain the command |
| `--quiet` | no notes and no progress bars |
| `--json` | print one JSON object on standard output |

## Environment variables

| Variable | Meaning |
|---|---|
| `SAMUNET_HOME` | folder for weights, your own models and encoded slices, instead of the user's data folder |
| `OMP_NUM_THREADS` | most threads of PyTorch on the CPU; by default one fewer than physical cores |
"""


def cli_page() -> str:
    """Return the text of docs/cli.md."""
    sys.path.insert(0, str(MODULE))
    from SAMUNetSlicerLib.cli.main import buildParser

    parser = buildParser()
    parts = [CLI_HEAD]
    for name, command, summary in _commands(parser):
        parts.append(_command_section(f"samunet {name}", command, summary, "##"))
        for action, subparser, help_text in _commands(command):
            parts.append(_command_section(f"samunet {name} {action}", subparser, help_text, "###"))
    return "\n".join(parts)


def with_packages(text: str) -> str:
    """Return the text of docs/architecture.md with its table of packages written anew."""
    begin, end = "<!-- packages -->\n", "<!-- end of packages -->"
    return re.sub(rf"({begin}).*?({end})", lambda match: match[1] + _packages() + match[2], text, flags=re.S)


def _commands(parser):
    """Yield (name, parser, help) of each subcommand."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                yield choice.dest, action.choices[choice.dest], choice.help


def _command_section(title, parser, summary, level):
    actions = [each for each in parser._actions if not isinstance(each, argparse._SubParsersAction)]
    # Every command has these two, see addOutputArguments.
    actions = [each for each in actions if each.dest not in ("help", "quiet", "json")]
    words = [title, *filter(None, map(_usage, sorted(actions, key=lambda each: bool(each.option_strings))))]
    if any(not each.required for each in actions if each.option_strings):
        words.append("[OPTIONS]")
    if any(True for _ in _commands(parser)):
        words.append("[ACTION]")
    lines = [f"{level} {title}", "", _sentence(summary), "", "```sh", " ".join(words), "```", ""]
    rows = [f"| {_names(each)} | {_help(each)} |" for each in actions]
    if rows:
        lines += ["| | |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _usage(action):
    """Return how a positional or required argument stands in the usage line, "" for an option."""
    value = _value(action)
    if action.option_strings:
        return f"{action.option_strings[-1]} {value}".strip() if action.required else ""
    return {"+": f"{value}...", "?": f"[{value}]", "*": f"[{value}...]"}.get(action.nargs, value)


def _names(action):
    if not action.option_strings:
        return f"`{_value(action)}`"
    value = _value(action)
    return ", ".join(f"`{name} {value}`" if value else f"`{name}`" for name in action.option_strings)


def _value(action):
    if action.nargs == 0:
        return ""
    if action.metavar:
        return action.metavar
    if action.choices:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return action.dest.upper()


def _help(action):
    text = (action.help or "").replace("|", r"\|")
    return f"{text} (required)" if action.required and action.option_strings else text


def _sentence(text):
    return f"{text[:1].upper()}{text[1:]}."


def _packages() -> str:
    rows = ["| Package | Purpose |", "|---|---|"]
    for layer in LAYERS:
        for init in sorted((LIBRARY / layer).rglob("__init__.py")):
            name = init.parent.relative_to(LIBRARY).as_posix()
            docstring = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8")))
            purpose = " ".join(docstring.split("\n\n")[0].split()).replace("``", "`")
            rows.append(f"| [`{name}`](../SAMUNetSlicer/SAMUNetSlicerLib/{name}) | {purpose} |")
    return "\n".join([*rows, ""])


if __name__ == "__main__":
    (DOCS / "cli.md").write_text(cli_page(), encoding="utf-8")
    architecture = DOCS / "architecture.md"
    architecture.write_text(with_packages(architecture.read_text(encoding="utf-8")), encoding="utf-8")
