"""Every page that a message names can be printed, also from an installed wheel."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from langrearrange.cli.main import main
from langrearrange.paths import docs_path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [path for top in ("langrearrange", "baselines") for path in (ROOT / top).rglob("*.py")]
NAMED = {name for path in SOURCES for name in re.findall(r"docs/([a-z-]+)\.md", path.read_text())}


def test_messages_name_pages_at_all() -> None:
    assert len(NAMED) >= 5


@pytest.mark.parametrize("topic", sorted(NAMED))
def test_a_page_that_the_code_names_is_printed(
    topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["help", topic]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / f"{topic}.md").read_text("utf-8")
    assert main(["help", f"docs/{topic}.md"]) == 0


def test_help_lists_every_page_with_its_title(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [p.stem for p in sorted(docs_path().glob("*.md"))]
    assert any(line.endswith("Agent protocol, trace format and scoring") for line in lines)


def test_an_unknown_topic_is_an_error_with_a_suggestion(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["help", "protocl"]) == 2
    assert "did you mean 'protocol'?" in capsys.readouterr().err
