"""The site's menu names every page, and every page that it names is written or generated."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent


def pages_of(entry: object) -> list[str]:
    if isinstance(entry, dict):
        entry = list(entry.values())
    return [entry] if isinstance(entry, str) else [p for one in entry for p in pages_of(one)]  # type: ignore[attr-defined]


def test_the_menu_names_every_page() -> None:
    named = pages_of(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    written = {str(p.relative_to(ROOT / "docs")) for p in (ROOT / "docs").rglob("*.md")}
    hooks = (ROOT / "docs" / "site" / "hooks.py").read_text()
    generated = {
        f"{name}.md" for name in re.findall(r'^    "([a-z-]+)": "langrearrange', hooks, re.M)
    }
    generated = {f"reference/{name}" for name in generated} | {"reference/cli.md", "splits.md"}
    generated |= set(re.findall(r'^    "([a-z0-9-]+\.md)": "', hooks, re.M))
    assert sorted(named) == sorted(written | generated)
