"""Makes the files of data/ from the package that has them all: `python -m fleet.adapters.schemas.packing`.

They are its strict definitions without the descriptions, which judge nothing: 25 KB a version instead of 5 MB.
"""

import json
import zlib
from pathlib import Path
from typing import Any

from fleet.adapters import schemas


def packed(source: Path) -> bytes:
    definitions = json.loads(source.read_bytes())["$defs"]
    text = json.dumps(plain(definitions), separators=(",", ":"))
    return zlib.compress(text.encode(), level=9)


def plain(schema: Any) -> Any:
    """Without descriptions; a property of that name is a schema, never a text."""
    if isinstance(schema, dict):
        kept = {k: v for k, v in schema.items() if k != "description" or not isinstance(v, str)}
        return {key: plain(value) for key, value in kept.items()}
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    return schema


def main() -> None:
    sources = schemas.installed()
    schemas.FOLDER.mkdir(exist_ok=True)
    for version in schemas.SHIPPED:
        (schemas.FOLDER / f"{version}.zz").write_bytes(packed(sources[version]))


if __name__ == "__main__":
    main()
