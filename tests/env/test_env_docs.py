"""What docs/text.md and docs/wrappers.md print works as printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from langrearrange.env import Task, facts
from langrearrange.env.wrappers import __all__ as wrappers
from langrearrange.testing import toy_episodes
from langrearrange.world import ACTION_IDS, parse_action, skill_index

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {name: (DOCS / name).read_text() for name in ("text.md", "wrappers.md")}
SNIPPETS = [
    code for page in PAGES.values() for code in re.findall(r"```python\n(.*?)```", page, re.S)
]


@pytest.mark.parametrize("code", SNIPPETS)
def test_a_snippet_runs_and_prints_what_it_says(
    code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(code, "snippet", "exec"), {"__name__": "snippet"})
    told = capsys.readouterr().out
    for shape in re.findall(r"# (\(.*\))", code):
        assert shape in told.split("\n")


def test_the_texts_are_as_shown() -> None:
    task = Task(toy_episodes()[2])
    for skill in ("nav(fridge)", "pick(lemon)"):
        task.step(skill_index(skill))
        for line in facts(task).split("\n")[1:]:
            assert f"    {line}\n" in PAGES["text.md"]


def test_examples_of_names_are_read() -> None:
    (section,) = re.findall(r"## Action names\n(.*)", PAGES["text.md"], re.S)
    examples = re.findall(r"`\"?((?:go|put|place|nav)\b[^`\"]*)\"?`", section, re.I)
    assert len(examples) >= 8
    for example in examples:
        assert ACTION_IDS[parse_action(example)].startswith(("nav(", "place("))


def test_every_wrapper_and_mode_is_on_the_page() -> None:
    for name in {*wrappers} - {"Tokenizer"} | {"NextStep", "SameStep", "Disabled"}:
        assert name in PAGES["wrappers.md"]
