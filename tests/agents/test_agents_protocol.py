"""The golden transcript: both ends say, word for word, what docs/protocol.md promises."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))

from make_transcript import COMMANDS, PATH, conversation

from langrearrange.agents.wire import MAX_REPLY, PROTOCOL
from langrearrange.env import MODALITIES

PAGE = (Path(PATH).parent / "protocol.md").read_text("utf-8")


def recorded(name: str) -> list[str]:
    text = PATH.read_text("ascii")
    part = re.search(rf"^# {re.escape(name)}\n((?:[<>] .*\n)+)", text, re.M)
    assert part
    return part[1].splitlines()


@pytest.mark.parametrize("name", COMMANDS)
def test_conversations_are_those_of_the_golden_transcript(name: str) -> None:
    assert conversation(name) == recorded(name)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_line_is_compact_ascii_json_with_its_type_first(name: str) -> None:
    for line in recorded(name):
        message = json.loads(line[2:])
        assert line.isascii()
        assert next(iter(message)) == "type"
        if line.startswith(">"):
            assert line[2:] == json.dumps(message, separators=(",", ":"))


def test_the_page_names_every_modality_failure_and_limit() -> None:
    for modality in MODALITIES:
        assert f"`{modality}`" in PAGE
    for failure in ("timeout", "crash", "refusal", "bad_action"):
        assert f"`{failure}`" in PAGE
    assert f"{MAX_REPLY:,}" in PAGE
    assert f'"protocol":{PROTOCOL}' in PAGE
