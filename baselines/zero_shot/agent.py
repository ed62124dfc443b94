"""The agents: one skill a turn with feedback, or one plan. Both talk to a `ChatModel`."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from langrearrange.agents import AgentTimeoutError, Limits, RowsOfAgents
from langrearrange.env import Observation, Rules
from langrearrange.leaderboard.transcript import Exchange
from langrearrange.log import get_logger

from .answers import BadAnswer, read_action, read_plan
from .model import Account, ChatModel, ContextTooLongError, Message, Reply
from .prompts import (
    DESIGNS,
    Choice,
    DesignName,
    action_names,
    answer_of,
    correction,
    system_prompt,
)

logger = get_logger("langrearrange.zero_shot")  # so that --log-dir keeps it
ASK_AGAIN: Final = 2
"""How often a model is asked again after a bad answer to the same question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAgents:
    """A source of agents that ask one model; `evaluate(..., concurrency=N)` takes it.

    Attributes:
        model: is asked.
        account: keeps the transcript and the budget.
        design: the paper's `chatgpt` (text, feedback each turn), `llama` (blind, one plan) or
            `flamingo` (one plan from the first picture).
        choice: how a turn's action is chosen; `numbers` and `names` need `model.choose`.
        few_shot: the prompt has examples.
        history: at most so many of the last turns are sent; 0: all.
        rules: of the episodes: hard or not, number of steps.
        limits: `step_s` for one request, `episode_s` for those of an episode together.
        reported: kinds of bad answers that were warned of.
    """

    model: ChatModel
    account: Account
    design: DesignName = "chatgpt"
    choice: Choice = "answer"
    few_shot: bool = True
    history: int = 0
    rules: Rules = field(default_factory=Rules)
    limits: Limits = field(default_factory=Limits)
    reported: set[str] = field(default_factory=set)

    def build(self) -> RowsOfAgents:
        """Return agents, one for each row."""
        kind = PlanAgent if DESIGNS[self.design].plan else TurnAgent
        return RowsOfAgents(lambda: kind(self))


class ChatAgent:
    """What both agents share: a conversation that is recorded, and shortened when too long."""

    def __init__(self, source: ChatAgents) -> None:
        self._source, self._design = source, DESIGNS[source.design]
        self.modality = self._design.modality
        self._num_actions = len(action_names(source.rules))
        self.reset("")

    def reset(self, instruction: str) -> None:
        """Begin an episode: forget the last one."""
        source = self._source
        prompt = system_prompt(self._design, source.choice, source.rules, few_shot=source.few_shot)
        self._instruction = instruction
        self._messages: list[Message] = [{"role": "system", "content": prompt}]
        self._turns_kept = source.history
        self._turn = self._step = self._recorded = 0
        self._left_s = source.limits.episode_s

    def say(self, content: Any) -> None:
        """Append what the model is told next."""
        self._messages.append({"role": "user", "content": content})

    def skills(self, read: Callable[[Reply], tuple[int, ...]]) -> tuple[int, ...]:
        """Return the skills of the next answer; ask again after a bad one.

        Args:
            read: returns the skills of an answer or raises BadAnswer.

        Raises:
            BadAnswer: the last answer that was accepted is bad too.
        """
        for again in range(ASK_AGAIN, -1, -1):
            began = time.monotonic()
            skill, reply = self._ask()
            latency_s = time.monotonic() - began
            try:
                skills = read(reply) if skill is None else (skill,)
            except BadAnswer as error:
                self._record(reply, latency_s, problem=str(error))
                if not again:
                    raise
                self._warn(error)
                self.say(correction(error.kind, self._design))
            else:
                self._record(reply, latency_s, skills)
                return skills
        raise AssertionError

    def _ask(self) -> tuple[int | None, Reply]:
        """Return the chosen skill, None if it is to be read, and the answer."""
        source = self._source
        source.account.check()
        while True:
            timeout_s, began = min(source.limits.step_s, self._left_s), time.monotonic()
            try:
                if source.choice == "answer" or self._design.plan:
                    skill, reply = None, source.model.answer(self._window(), timeout_s)
                else:
                    names = action_names(source.rules)
                    options = [answer_of(skill, source.choice) for skill in range(len(names))]
                    skill, reply = source.model.choose(self._window(), options, timeout_s)
            except ContextTooLongError as error:
                self._forget(error)
                continue
            finally:
                self._left_s -= time.monotonic() - began
            if self._left_s > 0:
                return skill, reply
            raise AgentTimeoutError(
                f"the answers of this episode took more than {source.limits.episode_s:g} s "
                "together; raise --episode-timeout-s"
            )

    def _window(self) -> list[Message]:
        """Return what is sent: rules, the task, and the last turns."""
        turns = self._messages[2:]
        return self._messages[:2] + (turns[-2 * self._turns_kept :] if self._turns_kept else turns)

    def _forget(self, error: ContextTooLongError) -> None:
        """Halve the turns that are sent; raise the error if there are none."""
        turns = (len(self._window()) - 2) // 2
        if turns < 2:
            raise error
        self._turns_kept = turns // 2
        self._warn(error, f"; only the last {self._turns_kept} turns are sent (--history)")

    def _warn(self, error: Any, more: str = "") -> None:
        kind = error.kind or "context"
        level = 20 if kind in self._source.reported else 30
        self._source.reported.add(kind)
        logger.log(level, "%r: %s%s", self._instruction, error, more)

    def _record(
        self, reply: Reply, latency_s: float, skills: tuple[int, ...] = (), problem: str = ""
    ) -> None:
        told = self._messages[self._recorded :]
        self._messages.append({"role": "assistant", "content": reply.text})
        self._recorded = len(self._messages)
        exchange = Exchange(
            instruction=self._instruction,
            turn=self._turn,
            step=self._step,
            told="\n\n".join(_text(message["content"]) for message in told),
            answer=reply.text,
            skills=skills,
            problem=problem,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            latency_s=round(latency_s, 3),
            price=self._source.account.prices.of(reply),
        )
        self._source.account.add(exchange)
        self._turn += 1


class TurnAgent(ChatAgent):
    """One skill a turn: the model is told what came of each (ZS-ChatGPT)."""

    def act(self, observation: Observation) -> int:
        """Return the skill that the model answers with."""
        self.say(observation["text"])
        (skill,) = self.skills(self._read)
        self._step += 1
        return skill

    def _read(self, reply: Reply) -> tuple[int, ...]:
        if reply.cut:
            raise BadAnswer("cut", "the answer was cut off (--max-answer-tokens)", reply.text)
        return (read_action(_spoken(reply), self._num_actions),)


class PlanAgent(ChatAgent):
    """One plan from the sentence (ZS-LLaMA), or from sentence and first picture (ZS-Flamingo).

    After the plan's end the last skill is repeated, which changes nothing.
    """

    def reset(self, instruction: str) -> None:
        """Begin an episode: forget the plan."""
        super().reset(instruction)
        self._plan: list[int] = []

    def act(self, observation: Observation) -> int:
        """Return the next skill of the plan, which the model makes at the first call."""
        if not self._plan:
            task = f"Task: {self._instruction}"
            self.say(_with_picture(task, observation["rgb"]) if self._design.picture else task)
            self._plan = list(self.skills(self._read))
        return self._plan.pop(0) if len(self._plan) > 1 else self._plan[0]

    def _read(self, reply: Reply) -> tuple[int, ...]:
        return read_plan(_spoken(reply), self._num_actions, cut=reply.cut)


def _spoken(reply: Reply) -> str:
    """Return the answer without the reasoning that some models write in front of it."""
    return reply.text.rpartition("</think>")[2]


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "[picture]") for part in content)


def _with_picture(text: str, picture: Any) -> list[dict[str, Any]]:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    return [{"type": "text", "text": text}, image]
