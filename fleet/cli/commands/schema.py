"""`fleet schema`: JSON Schemas of fleet's own kinds, for editors."""

from pathlib import Path
from typing import Annotated

import typer

from fleet.cli import output
from fleet.manifests import exports

app = typer.Typer(help="Schemas for editors.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="One file a kind; absent: print.")
    ] = None,
) -> None:
    """Write the JSON Schemas of Fleet, Cluster, Bundle, Permit and Waiver.

    Example:  fleet schema export .schemas   (then in an editor: # yaml-language-server: $schema=.schemas/Bundle.json)
    """
    if folder is None:
        output.document(exports.json_schemas())
        return
    folder.mkdir(parents=True, exist_ok=True)
    for kind, schema in exports.json_schemas().items():
        (folder / f"{kind}.json").write_text(exports.text(schema))
        output.say(f"{folder / kind}.json")
