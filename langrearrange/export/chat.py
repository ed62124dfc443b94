"""Runs of an agent as conversations, for fine-tuning a chat model through its language head.

Not for scoring. A model tuned on them plays by `langrearrange_baselines.zero_shot --local`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from langrearrange.agents import Agent, PrivilegedAgent, load_agent
from langrearrange.dataset import Episode, EpisodeList, Selection
from langrearrange.env import LangRearrangeEnv, read_answer, text
from langrearrange.export.exporter import Written, count_episodes
from langrearrange.paths import refuse_existing
from langrearrange.progress import progress
from langrearrange.world import ACTION_NAMES, NUM_SKILLS

SYSTEM: Final = """\
You get rules and a task, and after each action what came of it. Answer with the best next action,
in the words of the rules, and nothing else."""
"""The first message, also of the zero-shot agent that chooses among action names."""
Message = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatExporter:
    """Runs of an agent as messages, to fine-tune a chat model on (TRL and others read them).

    Each line has `messages` (system, then user and assistant in turn: the `text` observation and
    the English name of the agent's action), `episode`, `success` and `steps`.

      langrearrange export train_mini --format chat --agent explorer --out out/chat.jsonl
      datasets.load_dataset("json", data_files="out/chat.jsonl")
    """

    agent: str = "explorer"
    """whose runs: explorer, which searches; oracle, which knows where things are; module:Class"""
    failures: bool = False
    """keep the episodes in which the agent fails"""
    last_observation: bool = False
    """one line for each turn, with rules, task and the last observation only: for short contexts"""

    def write(
        self, selections: Sequence[Selection], out: Path, *, overwrite: bool = False
    ) -> Written:
        """Write one JSON line for each episode or turn; see `Exporter.write`."""
        total = count_episodes(selections)
        refuse_existing(out, overwrite=overwrite)
        out.parent.mkdir(parents=True, exist_ok=True)
        agent = load_agent(self.agent)
        succeeded = lines = 0
        partial = out.with_name(out.name + ".tmp")
        with progress(f"play {self.agent}", total) as advance, partial.open("w") as file:
            for selection in selections:
                for episode in selection:
                    talk, success = converse(agent, episode)
                    succeeded += success
                    if success or self.failures:
                        facts = {"episode": episode.id, "success": success, "steps": len(talk) // 2}
                        for messages in self._examples(talk):
                            file.write(json.dumps({"messages": messages, **facts}) + "\n")
                            lines += 1
                    advance(1, "")
        partial.replace(out)
        return Written(
            (out,), f"{lines} conversations; {self.agent} succeeds in {succeeded} of {total}"
        )

    def _examples(self, talk: list[Message]) -> Iterator[list[Message]]:
        system = {"role": "system", "content": SYSTEM}
        if not self.last_observation:
            yield [system, *talk]
            return
        for turn in range(0, len(talk), 2):
            yield [system, last_observation(talk[: turn + 1]), talk[turn + 1]]


def converse(agent: Agent, episode: Episode) -> tuple[list[Message], bool]:
    """Let an agent play an episode; return user and assistant messages in turn, and success."""
    with_ = {"episodes": EpisodeList([episode]), "observation": agent.modality}
    env: Any = LangRearrangeEnv(**with_)  # type: ignore[arg-type]
    try:
        observation, _ = env.reset()
        if isinstance(agent, PrivilegedAgent):
            agent.bind(episode)
        agent.reset(episode.instruction)
        talk: list[Message] = []
        while not env.task.over:
            action = read_answer(agent.act(observation), NUM_SKILLS)
            talk.append({"role": "user", "content": text(env.task)})
            talk.append({"role": "assistant", "content": ACTION_NAMES[action]})
            observation, *_ = env.step(action)
        return talk, bool(env.task.success)
    finally:
        env.close()


def last_observation(talk: Sequence[Message]) -> Message:
    """Return one message with rules and task of the first and the observation of the last one."""
    first, last = talk[0]["content"], talk[-1]["content"]
    if len(talk) == 1:
        return talk[0]
    rules_and_task = first.rpartition("\nTask: ")
    task = rules_and_task[2].partition("\n")[0]
    return {"role": "user", "content": f"{rules_and_task[0]}\nTask: {task}\n{last}"}
