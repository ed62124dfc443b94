"""docs/add-a-template.md: its files, commands and snippets work as printed, in one folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from langrearrange.errors import TemplateError
from langrearrange.language import load_templates
from langrearrange.language.lexicon import FORMS

PAGE = (Path(__file__).parents[2] / "docs" / "add-a-template.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(yaml|bash|python|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = BLOCK.findall(PAGE)


def of_kind(kind: str) -> list[str]:
    return [text for name, text in BLOCKS if name == kind]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    template, spec = of_kind("yaml")
    (tmp_path / "tea.yaml").write_text(template, encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    return tmp_path


def run(command: list[str], folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_the_page_makes_checks_and_plays_its_template(folder: Path) -> None:
    (commands,) = of_kind("bash")
    run(["bash", "-euc", commands], folder)
    assert (folder / "out" / "tea.gif").stat().st_size > 1000
    for snippet in of_kind("python"):
        assert run([sys.executable, "-c", snippet], folder)


def test_the_pages_sentences_are_as_printed(folder: Path) -> None:
    output = run([sys.executable, "-c", of_kind("python")[1]], folder)
    assert output.startswith(f"{2 * 8 * 3 * 3} texts, for example: ")
    assert output.count("\n") == 3


def test_the_pages_messages_are_the_ones_you_get(folder: Path) -> None:
    good = (folder / "tea.yaml").read_text(encoding="utf-8")
    (messages,) = of_kind("text")
    mistakes = (
        ("Lay {the table}", "Lay {the tabel}"),
        ("mug]", "mugg]"),
        ("hand_free)", "hand_fre)"),
    )
    for number, (message, (old, new)) in enumerate(
        zip(messages.splitlines(), mistakes, strict=True)
    ):
        path = folder / f"bad{number}.yaml"
        path.write_text(good.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(TemplateError) as caught:
            load_templates(path)
        assert str(caught.value).replace(str(path), "tea.yaml") == message


def test_the_page_lists_every_form() -> None:
    for forms in FORMS.values():
        for form in forms:
            assert f"`{{{form} " in PAGE or not form
