"""Run ``samunet models``: list the networks; get, check and remove their weights."""

import argparse
from itertools import groupby
from pathlib import Path
from typing import Any, Dict, Optional

from .console import Console, addOutputArguments

NAME = "models"
HELP = "list the networks; get, check and remove their weights"


def addArguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(act=_list)
    actions = parser.add_subparsers(metavar="ACTION")
    listing = actions.add_parser("list", help="all networks, and which weights are installed (the default)")
    show = actions.add_parser("show", help="everything known about one network")
    get = actions.add_parser("get", help="obtain the weights of a network")
    get.add_argument("--yes", action="store_true", help="agree to the download and the license")
    get.add_argument("--from", dest="file", type=Path, metavar="FILE", help="take them from a file instead")
    remove = actions.add_parser("remove", help="delete the weights of a network")
    for action, act in ((listing, _list), (show, _show), (get, _get), (remove, _remove)):
        action.set_defaults(act=act)
        addOutputArguments(action)
        if action is not listing:
            action.add_argument("model", metavar="ID", help="of the network, see `samunet models`")


def run(options: argparse.Namespace, console: Console) -> Optional[int]:
    return options.act(options, console)


def _list(_options, console: Console) -> None:
    from ..app.models import catalog

    models = catalog()
    entries = [_summary(card, models.default) for card in models.cards.values()]
    width = max(len(entry["id"]) for entry in entries)
    lines = [f"  {'ID':{width}}  WEIGHTS            WHAT IT IS"]
    for entry in entries:
        mark = "*" if entry["default"] else " "
        lines.append(f"{mark} {entry['id']:{width}}  {_state(entry):17}  {entry['summary']}")
    lines.append("* used when no --model is given.  `samunet models show ID` tells more.")
    console.result({"models": entries}, "\n".join(lines))


def _summary(card, default: str) -> Dict[str, Any]:
    from ..app.models import installedWeights, isPublic

    path = installedWeights(card)
    return {
        "id": card.id,
        "title": card.title,
        "summary": card.summary,
        "default": card.id == default,
        "weights": str(path) if path else None,
        "downloadable": isPublic(card),
        "sizeBytes": card.size_bytes,
        "license": card.license.weights,
    }


def _state(entry: Dict[str, Any]) -> str:
    if entry["weights"]:
        return "installed"
    if not entry["downloadable"]:
        return "you supply a file"
    return f"get, {entry['sizeBytes'] / 1e6:.0f} MB" if entry["sizeBytes"] else "get"


def _show(options, console: Console) -> None:
    from dataclasses import asdict

    from ..app.models import catalog, installedWeights

    card = catalog().get(options.model)
    path = installedWeights(card)
    values = {**asdict(card), "weights": str(path) if path else None}
    console.result(values, _describe(card, path))


def _describe(card, path: Optional[Path]) -> str:
    prompts, license = card.capabilities, card.license
    kinds = [name for name in ("points", "boxes") if getattr(prompts, name)]
    if prompts.mask != "none":
        kinds.append("its own last mask")
    rows = [
        ("network", f"{card.title} ({card.id}), {card.input.size} x {card.input.size} pixels"),
        ("prompts", ", ".join(kinds)),
        ("weights", str(path) if path else f"not here: samunet models get {card.id}"),
        ("license", f"weights {license.weights}, code {license.code}. {license.notice}".strip()),
        ("trained on", card.training_data),
        *_figures(card),
        *(("limit", text) for text in card.limits),
        ("cite", card.citation),
        ("see", card.homepage),
    ]
    return "\n".join([card.summary, *(f"  {name:11} {text}" for name, text in rows)])


def _figures(card):
    """Return (metric, values with their prompts), one row for all that were found on the same data."""
    for (metric, data, origin), group in groupby(card.accuracy, lambda a: (a.metric, a.data, a.origin)):
        values = ", ".join(f"{a.value:g} ({a.prompt})" for a in group)
        yield metric, f"{values}; {origin}: {data}"


def _get(options, console: Console) -> None:
    from ..app.models import catalog, checkedImport, obtainWeights

    card = catalog().get(options.model)
    if options.file is not None:
        path = checkedImport(card, options.file)
    else:
        agree = (lambda text: console.note(text) or True) if options.yes else console.agree
        with console.progress(card.title, "B") as progress:
            path = obtainWeights(card, agree, progress=progress)
    console.result({"id": card.id, "weights": str(path)}, f"The weights of {card.title} are in {path}.")


def _remove(options, console: Console) -> None:
    from ..app.models import catalog, removeWeights

    card = catalog().get(options.model)
    freed = removeWeights(card)
    text = f"{freed / 1e6:.1f} MB freed." if freed else f"There were no weights of {card.title} to remove."
    console.result({"id": card.id, "freedBytes": freed}, text)
