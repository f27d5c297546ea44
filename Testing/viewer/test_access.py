"""Only pages with the token get in, and only one of them at a time."""

import io
import socket
from pathlib import Path

import pytest

from viewer.test_prompting import ORGANS
from viewer.viewing import Page, run_apart

PATHS = ("/", "/index.html", "/?token=", "/?token=wrong", "/index.html?token=wrong", "/assets", "/download/x")


def fetch(work):
    """Run an asynchronous request with cookies for plain addresses."""
    from aiohttp import ClientSession, CookieJar

    async def run():
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as client:
            return await work(client)

    return run_apart(run())


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_served_without_the_token(viewer, path):
    async def get(client):
        async with client.get(viewer.base + path) as answer:
            return answer.status, await answer.text()

    status, text = fetch(get)
    assert status == 403
    assert "token" in text and text.endswith(".")


def test_the_websocket_is_refused_without_the_cookie_and_to_other_origins(viewer):
    async def connect(client, **options):
        async with client.ws_connect(f"{viewer.base}/ws", **options):
            return "connected"

    async def enter_and_connect(client, origin):
        async with client.get(viewer.address) as answer:
            assert answer.status == 200
        return await connect(client, origin=origin)

    from aiohttp import WSServerHandshakeError

    with pytest.raises(WSServerHandshakeError, match="403"):
        fetch(connect)
    with pytest.raises(WSServerHandshakeError, match="403"):
        fetch(lambda client: enter_and_connect(client, "http://127.0.0.1:1"))
    assert fetch(lambda client: enter_and_connect(client, viewer.base)) == "connected"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:{port}", "127.evil.example", "["])
def test_a_name_of_another_site_that_leads_here_is_refused_even_with_the_token(viewer, host):
    port = viewer.base.rpartition(":")[2]

    async def get(client):
        headers = {"Host": host.format(port=port)}
        async with client.get(viewer.address, headers=headers) as answer:
            return answer.status

    assert fetch(get) in (400, 403)


def test_the_other_name_of_this_computer_is_served(viewer):
    async def get(client):
        async with client.get(viewer.address.replace("127.0.0.1", "localhost")) as answer:
            return answer.status

    assert fetch(get) == 200


def test_bytes_that_are_no_text_are_refused_like_any_wrong_token(viewer):
    port = int(viewer.base.rpartition(":")[2])
    for line in (b"GET /?token=%ff%fe HTTP/1.1", b"GET / HTTP/1.1\r\nCookie: samunet=\xff\xfe"):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(line + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            assert connection.makefile("rb").readline().split()[1] in (b"400", b"403")


def test_an_upload_is_refused_without_the_cookie(viewer):
    async def post(client):
        async with client.post(f"{viewer.base}/upload", data={"file": io.BytesIO(b"x")}) as answer:
            return answer.status

    assert fetch(post) == 403


def test_the_token_does_not_stay_in_the_address_bar(page):
    assert "token" not in page.page.url


def test_a_browser_without_the_token_sees_a_sentence_and_no_view(viewer, new_tab):
    tab = new_tab()
    tab.goto(f"{viewer.base}/index.html")
    assert "token" in tab.inner_text("body")
    assert not tab.locator("canvas, img").count()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells who listens where")
def test_it_listens_on_this_computer_only(viewer):
    port = int(viewer.base.rpartition(":")[2])
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")]
    loopback = f"{int.from_bytes(socket.inet_aton('127.0.0.1'), 'little'):08X}"
    assert [address.partition(":")[0] for address in listening] == [loopback]


def test_a_second_tab_is_told_and_its_clicks_do_nothing_until_it_takes_over(page, viewer, new_tab):
    other = Page(new_tab(), viewer.address)
    other.wait(lambda: other.isVisible("other-page"), "nothing is said")
    assert "another tab" in other.text("other-page")
    # Not even a page that ignores the message gets through.
    other.page.evaluate("document.querySelectorAll('.v-overlay-container').forEach(each => each.remove())")
    other.page.set_viewport_size({"width": 900, "height": 700})
    other.click("Red", *ORGANS["Red"])
    other.page.keyboard.press("b")
    other.settle()
    assert not page.segments()
    page.waitForMask(lambda: page.click("Red", *ORGANS["Red"]))
    other.wait(lambda: other.segments() == ["Segment_1"], "the other tab does not see the scene")
    other.page.reload()
    other.wait(lambda: other.isVisible("take-over"), "nothing is said after reloading")
    other.press("take-over")
    page.wait(lambda: page.isVisible("other-page"), "the first tab is not told")
    other.settle()
    other.waitForMask(lambda: other.click("Green", *ORGANS["Green"]))
    other.page.close()
    page.wait(lambda: not page.isVisible("other-page"), "the first tab does not get it back")
