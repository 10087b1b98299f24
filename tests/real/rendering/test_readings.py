"""A commit becomes a listing, ids, our documents and findings; nothing else of it is touched."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

import repositories
from fleet.judge import readings
from fleet.model import errors, names, snapshots

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 1\n"


def told(reading: readings.Reading) -> list[str]:
    return [f"{each.place}: {each.message}" for each in reading.findings]


async def test_a_sound_repository_has_no_findings(repository_of: Any):
    reader = repository_of(
        {"apps/web/bundle.yaml": repositories.bundle_text(), "apps/web/a.yaml": "x"}
    )
    reading = await reader.read()
    assert reading.findings == ()
    assert set(reading.parsed) == {"fleet.yaml", "clusters/dev/1.yaml", "apps/web/bundle.yaml"}
    assert all(
        each.startswith("sha256:")
        for each in (reading.ids.content, reading.ids.rules, reading.ids.owned)
    )


async def test_an_empty_repository_is_told_how_to_start(repository_of: Any):
    reader = repository_of({})
    commit = reader.git.commit({"fleet.yaml": None, "clusters/dev/1.yaml": None})
    assert told(await reader.read(commit)) == [
        "fleet.yaml: there is no fleet.yaml that can be read"
    ]


@pytest.mark.threat(22)
async def test_an_empty_file_is_no_documents(repository_of: Any):
    reader = repository_of({"fleet.yaml": "", "clusters/dev/1.yaml": ""})
    assert told(await reader.read()) == ["fleet.yaml: there is no fleet.yaml that can be read"]


@pytest.mark.threat(1)
@pytest.mark.threat(3)
async def test_a_tree_that_is_refused_is_not_read(repository_of: Any):
    reader = repository_of({})
    secret = reader.git.blob(b"/etc/passwd")
    commit = reader.git.commit_raw(
        ("120000", secret, "apps/a.yaml"),
        ("160000", "1" * 40, "vendor"),
        ("120000", secret, "fleet.yaml"),
    )
    reading = await reader.read(commit)
    assert told(reading) == [
        "apps/a.yaml: a symbolic link, which fleet does not follow",
        "fleet.yaml: a symbolic link, which fleet does not follow",
        "vendor: a submodule, which fleet does not follow",
    ]
    assert reading.parsed == {}
    assert "root:" not in repr(reading)


@pytest.mark.threat(1)
async def test_what_belongs_to_another_environment_is_ignored_and_never_refused(
    repository_of: Any,
):
    reader = repository_of(
        {"clusters/prod/broken.yaml": "a: [", "environments/prod/p.yaml": POINTER}
    )
    (reader.git.folder / "clusters/prod/link").symlink_to("/etc/passwd")
    before = await reader.read()
    assert before.findings == ()
    after = await reader.read(reader.git.commit({"clusters/prod/broken.yaml": "b: ["}))
    assert after.ids == before.ids


@pytest.mark.threat(31)
async def test_an_odd_name_in_our_own_folder_is_refused(repository_of: Any):
    reader = repository_of({})
    blob = reader.git.blob(b"x")
    commit = reader.git.commit_raw(("100644", blob, "clusters/dev/a\nb.yaml"))
    assert told(await reader.read(commit)) == [
        "clusters/dev/a\\nb.yaml: its name has characters that cannot be seen"
    ]


@pytest.mark.threat(5)
async def test_a_pointer_to_a_large_file_is_not_that_file(repository_of: Any):
    reader = repository_of({"policies/p.yaml": POINTER})
    (found,) = (await reader.read()).findings
    assert (str(found.place), found.message) == (
        "policies/p.yaml:1",
        "a Git LFS pointer, not the file",
    )


@pytest.mark.threat(6)
async def test_a_huge_file_is_refused_by_its_size(repository_of: Any):
    reader = repository_of({"apps/huge.yaml": b"a" * (9 << 20)})
    (found,) = (await reader.read()).findings
    assert found.message == f"{9 << 20} bytes; at most {8 << 20} are read"


@pytest.mark.threat(7)
async def test_ten_thousand_documents_in_one_file(repository_of: Any):
    reader = repository_of({"policies/p.yaml": "---\nkind: A\n" * 10_000})
    reading = await reader.read()
    assert (len(reading.declared.rules), reading.findings) == (10_000, ())
    reader.git.commit({"policies/p.yaml": "---\nkind: A\n" * 10_001})
    assert told(await reader.read()) == [
        "policies/p.yaml:20001:1: more than 10000 documents in a file"
    ]


async def test_every_file_that_is_wrong_is_named(repository_of: Any):
    reader = repository_of(
        {"policies/a.yaml": "a: [", "schemas/b.json": "{", "apps/x/bundle.yaml": "a: 1\na: 2"}
    )
    assert {each.place.path for each in (await reader.read()).findings} == {
        "policies/a.yaml", "schemas/b.json", "apps/x/bundle.yaml",
    }  # fmt: skip


async def test_ids_do_not_depend_on_how_a_commit_came_about(repository_of: Any):
    reader = repository_of({"apps/a": "1"})
    before = await reader.read()
    reader.git.commit({"apps/a": "2", "policies/p.yaml": "kind: A"})
    changed = await reader.read()
    reader.git.commit({"apps/a": "1", "policies/p.yaml": None})
    after = await reader.read()
    assert after.ids == before.ids
    assert changed.ids.content != before.ids.content
    assert changed.ids.rules != before.ids.rules
    assert changed.ids.owned == before.ids.owned


class Counting:
    """A repository that counts what is read, and waits a turn before it answers."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.asked: list[names.BlobId] = []

    async def blobs(self, ids: Iterable[names.BlobId]) -> snapshots.Contents:
        wanted = list(ids)
        self.asked += wanted
        await asyncio.sleep(0)
        return await self.inner.blobs(wanted)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.mark.threat(113)
async def test_a_commit_that_changes_one_file_reads_one_file(repository_of: Any):
    reader = repository_of({f"apps/{i}/a.yaml": str(i) for i in range(20)})
    source = Counting(reader.local)
    files = readings.Files(source, reader.memo)
    where = repositories.DEV
    await readings.read(reader.git.tip(), where, source, files)
    source.asked.clear()
    commit = reader.git.commit({"apps/7/a.yaml": "other"})
    await readings.read(commit, where, source, files)
    assert source.asked == [repositories.blob(b"other")]


async def test_what_is_remembered_outlives_the_process(repository_of: Any):
    reader = repository_of({f"apps/{i}/a.yaml": str(i) for i in range(20)})
    before = await reader.read()
    source = Counting(reader.local)
    after = await readings.read(
        reader.git.tip(), repositories.DEV, source, readings.Files(source, reader.memo)
    )
    assert after.ids == before.ids
    assert len(source.asked) == 0


async def test_reading_at_once_with_little_room_gives_everyone_everything(repository_of: Any):
    reader = repository_of({f"apps/{i}.txt": f"text {i}" for i in range(12)})
    source = Counting(reader.local)
    files = readings.Files(source, reader.memo, most=3)
    entries = list((await reader.local.snapshot(reader.git.tip())).entries.values())
    yaml = [each for each in entries if each.path.endswith(".yaml")]

    async def contents(part: list[snapshots.Entry]) -> bool:
        found = await files.contents(part)
        return all(repositories.blob(found[each.path]) == each.blob for each in part)

    async def parsed() -> bool:
        return {*await files.parsed(yaml)} == {each.path for each in yaml}

    parts = [entries[i : i + 4] for i in range(len(entries) - 3)]
    for _ in range(3):
        told = await asyncio.gather(
            *(contents(part) for part in parts), *(parsed() for _ in parts)
        )
        assert all(told)


@pytest.mark.threat(27)
async def test_a_blob_that_is_lost_is_an_error_and_no_empty_file(repository_of: Any):
    reader = repository_of({"apps/a": "1"})
    oid = reader.git.tip("HEAD:apps/a")
    (reader.git.folder / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(errors.UnreachableError, match="is not there"):
        await reader.read()


def test_a_pointer_is_known_by_its_first_line():
    assert readings.pointer("a", POINTER.encode()) is not None
    assert readings.pointer("a", b"# " + POINTER.encode()) is None
