"""One self-contained HTML file from NAME.html, NAME.css, NAME.js and data. Not what is in it."""

from __future__ import annotations

import html
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any


def fill(name: str, data: Any, title: str = "") -> str:
    """Return a page as text: script, style and data are part of it.

    Args:
        name: `page` or `board`.
        data: what its script reads from the element `data`; JSON-able.
        title: of the page, where the HTML file does not name one itself.
    """
    folder = files("langrearrange.leaderboard")
    text, style, script = (
        folder.joinpath(f"{name}.{suffix}").read_text("utf-8") for suffix in ("html", "css", "js")
    )
    # In a script element only `<` could end the data.
    json_text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    parts = {"TITLE": html.escape(title), "STYLE": style, "SCRIPT": script, "DATA": json_text}
    return re.sub("%(TITLE|STYLE|SCRIPT|DATA)%", lambda match: parts[match[1]], text)


def write(path: Path | str, page: str) -> Path:
    """Write a page, making its folder; returns the path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path
