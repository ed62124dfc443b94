"""The pages of the site that are not written by hand, and links between those that are.

MkDocs calls `on_files` and `on_page_markdown`. Pages name each other as `docs/NAME.md`, so that
they read well in a terminal (`langrearrange help NAME`); here these names become links.
"""

from __future__ import annotations

import contextlib
import io
import os
import posixpath
import re
from pathlib import Path
from typing import Any

import numpy as np
from mkdocs.structure.files import File, Files
from PIL import Image

from langrearrange.cli.main import VERBS, main
from langrearrange.generator import open_split
from langrearrange.leaderboard.animation import camera_frames
from langrearrange.leaderboard.groups import BOARD_SPLITS
from langrearrange.world import skill_index

ROOT = Path(__file__).resolve().parents[2]
COPIES = {
    "index.md": "README.md",
    "results.md": "results/README.md",
    "results-engine.md": "results/engine/README.md",
    "results-zero-shot.md": "results/zero_shot/README.md",
    "results-v0.md": "results/v0/README.md",
    "benchmarks.md": "benchmarks/README.md",
}
"""Page -> the file that it is made from."""
REFERENCE = {
    "env": "langrearrange.env",
    "agents": "langrearrange.agents",
    "leaderboard": "langrearrange.leaderboard",
    "generator": "langrearrange.generator",
    "world": "langrearrange.world",
}
"""Page of the reference -> the package whose public names it documents."""
SENTENCES, VIEWS = 5, 6
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages."""

    def add(page: str, content: str | bytes) -> None:
        files.append(File.generated(config, page, content=content))

    for page, source in COPIES.items():
        text = (ROOT / source).read_text("utf-8")
        add(page, _moved(text, posixpath.dirname(source), config, files))
    for name, package in REFERENCE.items():
        add(f"reference/{name}.md", f"# {package}\n\n::: {package}\n")
    add("reference/cli.md", _command_line())
    text = [
        "# Splits in pictures",
        "Of every test split: the robot's views as the oracle carries out the first instruction, "
        "then more instructions.",
    ]
    for split in BOARD_SPLITS:
        picture, sentences = _split(split)
        add(f"images/splits/{split}.jpg", picture)
        text += [f"## {split}", f"![Views of {split}/000000](images/splits/{split}.jpg)"]
        text += ["\n".join(f"- {sentence}" for sentence in sentences)]
    add("splits.md", "\n\n".join(text) + "\n")
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Turn `docs/NAME.md` in running text into a link."""
    here = posixpath.dirname(page.file.src_uri)

    def link(match: re.Match[str]) -> str:
        target = match[1] + ".md"
        if files.get_file_from_path(target) is None:
            return match[0]
        return f"[{match[1]}]({posixpath.relpath(target, here or '.')})"

    for name, source in COPIES.items():
        markdown = markdown.replace(f"](../{source})", f"]({name})")
    markdown = re.sub(r"\]\(\.\./(results/[^)]+\.png)\)", r"](\1)", markdown)
    parts = re.split(r"(```.*?```|`[^`\n]*`|^    .*$)", markdown, flags=re.S | re.M)
    parts[::2] = [re.sub(r"(?<![\w/(\[])docs/([a-z-]+)\.md", link, part) for part in parts[::2]]
    return "".join(parts)


def _moved(text: str, folder: str, config: Any, files: Files) -> str:
    """Return a page of elsewhere in the repository with its links and pictures made to work."""
    pages = {source: page for page, source in COPIES.items()}

    def target(match: re.Match[str]) -> str:
        path, hash_mark, anchor = match[1].partition("#")
        path = posixpath.normpath(posixpath.join(folder, path))
        if path in pages:
            return f"]({pages[path]}{hash_mark}{anchor})"
        if path.startswith("docs/"):
            return f"]({path.removeprefix('docs/')}{hash_mark}{anchor})"
        if path.endswith((".png", ".gif")) and files.get_file_from_path(path) is None:
            content = (ROOT / path).read_bytes()
            files.append(File.generated(config, path, content=content))
        return f"]({path})"

    return re.sub(r"\]\((?!https?:|#)([^)\s]+)\)", target, text)


def _command_line() -> str:
    """Return the help of every verb."""
    os.environ["COLUMNS"] = "100"
    text = ["# Command line"]
    for verb in VERBS:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            main([verb, "--help"])
        text += [
            f"## {verb}",
            f"```text\n{STYLE.sub('', out.getvalue())}\n```",
        ]
    return "\n\n".join(text) + "\n"


def _split(split: str) -> tuple[bytes, list[str]]:
    """Return a JPEG of the views along one episode's plan, and some instructions of a split."""
    source = open_split(split)
    episodes = [source.get(index * len(source) // SENTENCES) for index in range(SENTENCES)]
    views = [
        np.asarray(Image.open(io.BytesIO(view)))
        for view in camera_frames(episodes[0], list(map(skill_index, episodes[0].plan)))
    ]
    out = io.BytesIO()
    Image.fromarray(np.concatenate(views[:VIEWS], axis=1)).save(out, "JPEG", quality=80)
    return out.getvalue(), [episode.instruction for episode in episodes]
