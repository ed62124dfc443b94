"""The Inspect task end to end, with Inspect's own mock model; run by `make test-integrations`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("inspect_ai")

from inspect_ai import eval as run_eval
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from langrearrange.dataset import select
from langrearrange.generator import open_split
from langrearrange.integrations.inspect_ai import rearrange
from langrearrange.leaderboard import mean_ci
from langrearrange.world import SKILLS, skill_index

pytestmark = pytest.mark.filterwarnings("default")
Reply = Callable[[Sequence[Any]], str]


def mock(reply: Reply) -> Any:
    def answer(messages: Sequence[Any], *rest: Any) -> ModelOutput:
        output = ModelOutput.from_content("mockllm/model", reply(messages))
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return output

    return get_model("mockllm/model", custom_outputs=answer, memoize=False)


def run(folder: Path, reply: Reply, **arguments: Any) -> Any:
    task = rearrange(**arguments)
    (log,) = run_eval(task, model=mock(reply), display="none", log_dir=str(folder))
    assert log.status == "success", log.error
    return log


def metrics(log: Any) -> dict[str, dict[str, float]]:
    return {s.name: {n: m.value for n, m in s.metrics.items()} for s in log.results.scores}


def plans(split: str) -> dict[str, tuple[str, ...]]:
    source = open_split(split)
    chosen = [source.get(position) for position in range(len(source))]
    return {episode.instruction: episode.plan for episode in chosen}


def oracle(split: str, form: Callable[[str], str]) -> Reply:
    known = plans(split)

    def reply(messages: Sequence[Any]) -> str:
        text = next(m.text for m in messages if m.role == "user")
        plan = next(plan for instruction, plan in known.items() if instruction in text)
        turn = sum(m.role == "assistant" for m in messages)
        return "I think.\nAction: " + form(plan[turn])

    return reply


@pytest.mark.parametrize("observation", ["text", "rgb"])
@pytest.mark.parametrize("form", ["id", "index", "name"])
def test_replies_with_the_optimal_plan_succeed(tmp_path: Path, observation: str, form: str) -> None:
    forms: dict[str, Callable[[str], str]] = {
        "id": str,
        "index": lambda skill: str(skill_index(skill)),
        "name": lambda skill: f"**{SKILLS[skill_index(skill)].name.capitalize()}.**",
    }
    log = run(
        tmp_path,
        oracle("context", forms[form]),
        split="context",
        observation=observation,
        num_episodes=2,
    )
    steps = [len(episode.plan) for episode in list_of("context", 2)]
    found = metrics(log)
    assert found["success"]["mean"] == 1.0
    assert found["efficiency"]["mean"] == pytest.approx(np.mean([1 - n / 32 for n in steps]))
    parts = [part for m in log.samples[0].messages for part in m.content]
    assert ("image" in [getattr(part, "type", "") for part in parts]) == (observation == "rgb")


def test_a_plan_without_pictures_is_one_turn(tmp_path: Path) -> None:
    known = plans("context")

    def reply(messages: Sequence[Any]) -> str:
        assert len(messages) == 2
        return "\n".join(known[messages[1].text.removeprefix("Task: ")])

    log = run(tmp_path, reply, split="context", observation="blind", num_episodes=3)
    assert metrics(log)["success"]["mean"] == 1.0


def test_answers_that_are_no_action_fail_the_episode_only(tmp_path: Path) -> None:
    log = run(tmp_path, lambda messages: "Entschuldigung.", split="validation", num_episodes=2)
    assert metrics(log)["success"] == {
        "mean": 0.0, "interval_stderr": 0.0, "interval_low": 0.0,
        "interval_high": pytest.approx(metrics(log)["success"]["interval_high"]),
    }  # fmt: skip
    score = log.samples[0].scores["replay"]
    assert "'Entschuldigung.' is not an action" in score.explanation
    assert len([m for m in log.samples[0].messages if m.role == "assistant"]) == 1


def test_intervals_are_those_of_the_leaderboard(tmp_path: Path) -> None:
    exact = oracle("context", str)
    lucky = {e.instruction for e in list_of("context", 12) if len(e.instruction) % 2}

    def reply(messages: Sequence[Any]) -> str:
        text = next(m.text for m in messages if m.role == "user")
        return exact(messages) if any(one in text for one in lucky) else "nothing"

    log = run(tmp_path, reply, split="context", num_episodes=12)
    chosen = list_of("context", 12)
    values = np.array([float(e.instruction in lucky) for e in chosen])
    expected = mean_ci(values, [e.cluster for e in chosen])
    found = metrics(log)["success"]
    assert 0 < found["mean"] < 1
    assert found["mean"] == pytest.approx(expected.mean)
    assert found["interval_stderr"] == pytest.approx(expected.variance**0.5)
    assert (found["interval_low"], found["interval_high"]) == pytest.approx(
        (expected.low, expected.high)
    )


def list_of(split: str, number: int) -> list[Any]:
    chosen = select(open_split(split), number)
    return [chosen.get(position) for position in range(number)]


def test_the_page_works_as_printed(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "inspect.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, re.S)
    block = block.replace("eval(rearrange(", f"eval(log_dir={str(tmp_path)!r}, tasks=rearrange(")
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("success {'mean': 0.0")


def test_the_task_is_found_by_its_name(tmp_path: Path) -> None:
    code = """from inspect_ai import eval
(log,) = eval("langrearrange/rearrange", model="none/none", limit=0, display="none")
print(log.eval.task, log.eval.dataset.samples)"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stdout == "langrearrange/rearrange 200\n", done.stderr


@pytest.mark.parametrize("observation", ["text", "rgb", "blind"])
def test_the_prompt_has_rules_and_actions_once(tmp_path: Path, observation: str) -> None:
    seen = []

    def reply(messages: Sequence[Any]) -> str:
        seen.append("\n".join(m.text for m in messages))
        return "0"

    run(tmp_path, reply, split="context", observation=observation, num_episodes=1)
    assert seen[-1].count("You control a household robot") == 1
    assert seen[-1].count("- pick up the X: ball, clamp") == 1
