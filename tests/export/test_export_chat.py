"""Exported conversations are runs of the agent, turn by turn, in the words that agents read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from langrearrange.dataset import Selection, select
from langrearrange.env import LangRearrangeEnv
from langrearrange.errors import UsageError
from langrearrange.export.chat import SYSTEM, ChatExporter
from langrearrange.generator import open_split
from langrearrange.world import parse_action


def chosen() -> Selection:
    return select(open_split("train_eval"), 9)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("agent", ["explorer", "oracle"])
def test_messages_are_what_was_seen_and_done(agent: str, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "chat.jsonl"
    written = ChatExporter(agent=agent, failures=True).write([chosen()], out)
    lines = lines_of(out)
    assert written.paths == (out,)
    assert f"9 conversations; {agent} succeeds in" in written.summary
    for line, episode in zip(lines, chosen(), strict=True):
        system, *talk = line["messages"]
        assert system == {"role": "system", "content": SYSTEM}
        assert [message["role"] for message in talk] == ["user", "assistant"] * line["steps"]
        env = LangRearrangeEnv(episodes=[episode], observation="text")
        observation, info = env.reset()
        for seen, done in zip(talk[::2], talk[1::2], strict=True):
            assert seen["content"] == observation["text"]
            observation, _, _, _, info = env.step(parse_action(done["content"]))
        assert (info["success"], episode.id) == (line["success"], line["episode"])
        if agent == "oracle":
            assert line["success"]
            assert line["steps"] == len(episode.plan)


def test_failures_are_left_out_and_single_turns_keep_rules_and_task(tmp_path: Path) -> None:
    out = tmp_path / "chat.jsonl"
    ChatExporter(agent="random").write([chosen()], out)
    assert all(line["success"] for line in lines_of(out))
    with pytest.raises(UsageError, match="--force"):
        ChatExporter(agent="random").write([chosen()], out)
    ChatExporter(agent="oracle", last_observation=True).write([chosen()], out, overwrite=True)
    lines = lines_of(out)
    assert len(lines) == sum(len(episode.plan) for episode in chosen())
    instructions = {episode.id: episode.instruction for episode in chosen()}
    for line in lines:
        assert [message["role"] for message in line["messages"]] == ["system", "user", "assistant"]
        told = line["messages"][1]["content"]
        assert told.count(f"Task: {instructions[line['episode']]}\n") == 1
        assert told.count("steps left.") == 1
    assert sum("32 steps left." in line["messages"][1]["content"] for line in lines) == 9
