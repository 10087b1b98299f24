"""The same line under TLS."""

import ssl
from pathlib import Path

import pytest

import loopback
from fleet.adapters.http import client, server, tls
from fleet.model import errors


@pytest.fixture
async def port(serve: loopback.Serve, authority: loopback.Authority) -> int:
    return await serve(tls.Tls(certificate=authority.certificate, key=authority.key))


async def test_an_agent_that_knows_the_authority_talks(port: int, authority: loopback.Authority):
    async with client.Link(
        f"https://127.0.0.1:{port}", authorities=Path(authority.certificate).read_text()
    ) as link:
        assert await link.session() == "s"
        assert await link.report(b"{}") == 7


async def test_an_agent_that_does_not_know_the_authority_says_nothing(
    port: int, desk: loopback.Desk
):
    async with client.Link(f"https://127.0.0.1:{port}") as link:
        with pytest.raises(errors.UnreachableError, match="not trusted") as raised:
            await link.report(b"{}")
    assert "authority" in raised.value.hint
    assert desk.asked == []


async def test_a_certificate_for_another_name_is_not_trusted(
    port: int, authority: loopback.Authority, desk: loopback.Desk
):
    async with client.Link(
        f"https://localhost:{port}", authorities=Path(authority.certificate).read_text()
    ) as link:
        with pytest.raises(errors.UnreachableError, match="not trusted"):
            await link.report(b"{}")
    assert desk.asked == []


def test_old_versions_of_tls_are_refused(authority: loopback.Authority, old_tls: ssl.SSLContext):
    ours = tls.serving(tls.Tls(certificate=authority.certificate, key=authority.key))
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        old_tls.wrap_bio(back, there, server_hostname="127.0.0.1").do_handshake()
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        ours.wrap_bio(there, back, server_side=True).do_handshake()


@pytest.mark.threat(70)
async def test_plain_text_to_a_tls_port_is_cut_and_others_are_served(
    port: int, authority: loopback.Authority
):
    async with loopback.wire(port) as wire:
        await wire.send(b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n")
        await wire.rest()
    async with client.Link(
        f"https://127.0.0.1:{port}", authorities=Path(authority.certificate).read_text()
    ) as link:
        assert await link.session() == "s"


async def test_unusable_files_are_told_in_words(
    desk: loopback.Desk, authority: loopback.Authority, tmp_path: Path
):
    absent = str(tmp_path / "absent.pem")
    for files in (
        tls.Tls(certificate=absent, key=authority.key),
        tls.Tls(certificate=authority.certificate, key=authority.certificate),
    ):
        with pytest.raises(errors.InputError, match=files.certificate):
            await server.Server(desk, "127.0.0.1:0", files).start()
    with pytest.raises(errors.InputError, match="authorities"):
        async with client.Link("https://127.0.0.1:1", authorities="no certificate") as link:
            await link.session()
