"""The schemas that come with fleet are those of their source, and small."""

import json
import zlib
from pathlib import Path

import pytest

from fleet.adapters import schemas
from fleet.adapters.schemas import packing
from fleet.model import errors


@pytest.mark.parametrize("version", schemas.SHIPPED)
async def test_the_shipped_files_are_what_the_source_says(version: str):
    source = schemas.installed()[version]
    shipped = (schemas.FOLDER / f"{version}.zz").read_bytes()
    found = await schemas.Packaged().definitions(version)
    assert found == packing.plain(json.loads(source.read_bytes())["$defs"])
    assert json.loads(zlib.decompress(shipped)) == json.loads(
        zlib.decompress(packing.packed(source))
    )


def test_all_of_them_take_less_than_half_a_megabyte():
    assert sum(each.stat().st_size for each in schemas.FOLDER.iterdir()) < 500_000


def test_only_descriptions_go():
    written = {
        "description": "words",
        "properties": {"description": {"type": "string", "description": "words"}},
        "required": ["description"],
        "anyOf": [{"description": "words", "type": "object"}],
    }
    assert packing.plain(written) == {
        "properties": {"description": {"type": "string"}},
        "required": ["description"],
        "anyOf": [{"type": "object"}],
    }


@pytest.mark.parametrize(
    "damaged", [b"", b"\x78\x9c", b"text", zlib.compress(b"{"), zlib.compress(b"\xff")]
)
async def test_a_damaged_file_is_said(tmp_path: Path, damaged: bytes):
    (tmp_path / "1.36.zz").write_bytes(damaged)
    with pytest.raises(errors.BrokenError, match=r"1\.36\.zz is damaged"):
        await schemas.Packaged(folder=tmp_path).definitions("1.36")


async def test_a_missing_file_is_said(tmp_path: Path):
    with pytest.raises(errors.BrokenError, match=r"1\.36\.zz is missing"):
        await schemas.Packaged(folder=tmp_path).definitions("1.36")
    with pytest.raises(errors.BrokenError, match="is missing"):
        assert schemas.Packaged(folder=tmp_path).identity


def test_other_files_are_another_identity(tmp_path: Path):
    for each in schemas.FOLDER.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    assert schemas.Packaged(folder=tmp_path).identity == schemas.Packaged().identity
    (tmp_path / "1.30.zz").write_bytes(zlib.compress(b"{}"))
    assert schemas.Packaged(folder=tmp_path).identity != schemas.Packaged().identity
