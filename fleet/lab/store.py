"""The etcd of a lab: one for all of its clusters, each under a prefix of its own."""

import asyncio

from fleet.lab import certificates, processes, programs

_SECONDS_TO_START = 60.0


async def start(ground: programs.Ground, children: processes.Children, port: int) -> None:
    """Raises errors.UnreachableError where it does not start."""
    folder = ground.etcd
    folder.mkdir(parents=True)
    authority = certificates.authority("etcd")
    (folder / "ca.crt").write_bytes(authority.certificate)
    certificates.write_pair(folder, "server", authority.server("etcd"))
    certificates.write_pair(folder, "client", authority.client("kube-apiserver", group="lab"))
    child = children.start(programs.etcd(ground, port))
    await processes.until(lambda: _listens(port), child, _SECONDS_TO_START)


async def _listens(port: int) -> bool:
    """The port opens when etcd is ready, not before."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
