"""What the dialog about weights says."""

from slicer.i18n import tr as _

from ..app.models import WeightsRow


def stateText(row: WeightsRow) -> str:
    if row.isBundled:
        return _("comes with the extension")
    if row.path is not None:
        return _("here")
    return _("can be downloaded") if row.canGet else _("you supply a file")


def descriptionText(row: WeightsRow) -> str:
    card = row.card
    proof = _("SHA-256 {digits}...").format(digits=card.sha256[:16]) if card.sha256 else _("no published sum")
    parts = [card.summary, card.license.notice, f"{card.homepage} ({proof})"]
    return "\n".join(filter(None, parts))


def actionText(action: str, title: str) -> str:
    texts = {
        "get": _("Downloading the weights of {title}..."),
        "take": _("Taking over the weights of {title}..."),
        "check": _("Checking the weights of {title}..."),
        "add": _("Adding your weights for {title}..."),
    }
    return texts[action].format(title=title)


def doneText(action: str, title: str) -> str:
    texts = {
        "get": _("The weights of {title} are here."),
        "take": _("The weights of {title} are here."),
        "check": _("The weights of {title} are intact."),
        "add": _("Your weights for {title} were added as a network of their own."),
    }
    return texts[action].format(title=title)
