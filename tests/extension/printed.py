"""Code as a page of docs/ prints it, saved where a test can import it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from langrearrange.cli.main import main

DOCS = Path(__file__).resolve().parents[2] / "docs"


def python_blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.S)


def run_commands(page: str) -> None:
    """Run every printed command of the page in the working directory."""
    for block in re.findall(r"```bash\n(.*?)```", (DOCS / page).read_text(), re.S):
        for line in block.splitlines():
            if line.startswith("printf"):
                text, _, path = line.removeprefix("printf ").partition(" > ")
                Path(path).write_text(shlex.split(text)[0].replace("\\n", "\n"))
            else:
                assert main(shlex.split(line)[1:]) == 0, line


def save(page: str, module: str, folder: Path, patch: pytest.MonkeyPatch) -> str:
    """Write the first block as a module that this process and its children can import."""
    source = python_blocks(page)[0]
    (folder / f"{module}.py").write_text(source)
    patch.chdir(folder)
    patch.syspath_prepend(str(folder))
    return source
