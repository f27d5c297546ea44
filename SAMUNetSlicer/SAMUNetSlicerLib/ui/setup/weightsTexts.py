"""Word the dialog about weights."""

from slicer.i18n import tr as _

from ...app.models import WeightsRow


def stateText(row: WeightsRow) -> str:
    if row.isBundled:
        return _("comes with the extension")
    if row.path is not None:
        return _("installed")
    return _("can be downloaded") if row.canGet else _("you supply a file")


def descriptionText(row: WeightsRow) -> str:
    card = row.card
    digits = (card.sha256 or "")[:16]
    proof = _("SHA-256 {digits}...").format(digits=digits) if digits else _("no published checksum")
    parts = [card.summary, card.license.notice, f"{card.homepage} ({proof})"]
    return "\n".join(filter(None, parts))


def actionText(action: str, title: str) -> str:
    texts = {
        "get": _("Downloading the weights of {title}..."),
        "take": _("Importing the weights of {title}..."),
        "check": _("Checking the weights of {title}..."),
        "add": _("Adding your weights for {title}..."),
    }
    return texts[action].format(title=title)


def doneText(action: str, title: str) -> str:
    texts = {
        "get": _("The weights of {title} are installed."),
        "take": _("The weights of {title} are installed."),
        "check": _("The weights of {title} are intact."),
        "add": _("Your weights for {title} were added as a network of their own."),
    }
    return texts[action].format(title=title)
