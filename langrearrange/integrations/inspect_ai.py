"""An Inspect task: any model that inspect_ai reaches, scored as the leaderboard scores.

inspect eval langrearrange/rearrange -T split=context -T observation=text --model openai/gpt-4o
"""

from __future__ import annotations

import base64
import io
import math
from typing import Any, Final

import numpy as np
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, ContentImage, ContentText
from inspect_ai.scorer import (
    Metric,
    SampleScore,
    Score,
    Scorer,
    Target,
    Value,
    mean,
    metric,
    scorer,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver
from PIL import Image

from langrearrange.dataset import select
from langrearrange.env import Observation
from langrearrange.errors import ActionError, UsageError
from langrearrange.generator import open_split
from langrearrange.integrations import dialogue
from langrearrange.leaderboard import Replayed, mean_ci
from langrearrange.leaderboard.groups import is_stratified, units_of
from langrearrange.world.vocabulary import SplitName

_MODALITIES: Final[dict[str, Any]] = {"text": "text", "rgb": "rgb+feedback", "blind": "state"}


@task
def rearrange(
    split: SplitName = "validation", observation: str = "text", num_episodes: int | None = None
) -> Task:
    """Play a split: an episode is a sample, a turn is a step (`blind`: the one turn is a plan).

    Args:
        split: whose episodes are played.
        observation: `text`; `rgb`, the camera and a sentence on the last action; or `blind`.
        num_episodes: at most so many, spread evenly over the split; None for all.

    Raises:
        UsageError: another observation, or fewer than 1 episode.
    """
    if observation not in _MODALITIES:
        raise UsageError(f"observation={observation!r}; accepted: {', '.join(_MODALITIES)}")
    episodes, samples = select(open_split(split), num_episodes), []
    for position in range(len(episodes)):
        episode, stratified = episodes.get(position), is_stratified(split)
        (unit,) = units_of([episode], stratified=stratified)
        about = {"split": split, "unit": unit, "stratified": stratified}
        samples.append(Sample(id=episode.id, input=episode.instruction, metadata=about))
    return Task(
        dataset=MemoryDataset(samples, name=split),
        solver=play(observation),
        scorer=replay(),
        version=0,
        metadata={"observation": observation},
    )


@solver
def play(observation: str = "text") -> Solver:
    """Return the solver that plays an episode with the model's replies."""
    blind, text = observation == "blind", observation == "text"
    ending = dialogue.PLAN if blind else dialogue.ANSWER
    system = ChatMessageSystem(content=dialogue.system_prompt(ending, rules=not text))

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        talk = dialogue.Dialogue(
            split=state.metadata["split"], observation=_MODALITIES[observation]
        )
        try:
            seen = talk.reset(episode_id=str(state.sample_id))
            state.messages = [system]
            while not talk.over:
                state.messages.append(_message(seen, observation))
                state = await generate(state)
                reply = state.output.completion
                try:
                    for words in dialogue.plan(reply) if blind else [dialogue.chosen(reply)]:
                        if not talk.over:
                            seen, _ = talk.step(words)
                except ActionError as error:
                    state.store.set("error", str(error))
                if blind:
                    talk.give_up()
            state.store.set("played", talk.replayed())
        finally:
            talk.env.close()
        state.completed = True
        return state

    return solve


def _message(seen: Observation, observation: str) -> ChatMessageUser:
    """Return what the model is shown as a message."""
    if observation != "rgb":
        return ChatMessageUser(content=seen.get("text", f"Task: {seen['instruction']}"))
    png = io.BytesIO()
    Image.fromarray(seen["rgb"]).save(png, "PNG")
    uri = f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
    words = f"Task: {seen['instruction']}\n{seen['feedback']}"
    return ChatMessageUser(content=[ContentText(text=words), ContentImage(image=uri)])


@metric
def interval() -> Metric:
    """Return the metric {stderr, low, high}: clustered as on the leaderboard, 95 %."""

    def compute(scores: list[SampleScore]) -> Value:
        about = [score.sample_metadata or {} for score in scores]
        found = mean_ci(
            np.array([score.score.as_float() for score in scores]),
            [str(facts["unit"]) for facts in about],
            stratified=all(facts["stratified"] for facts in about),
        )
        return {"stderr": math.sqrt(found.variance), "low": found.low, "high": found.high}

    return compute


@scorer(metrics={"*": [mean(), interval()]})
def replay() -> Scorer:
    """Return the scorer: success and efficiency (1 - n/32, 0 on failure), replayed."""

    async def score(state: TaskState, target: Target) -> Score:
        played: Replayed = state.store.get("played")
        names = ("steps", "invalid", "regret", "subgoals", "actions", "cause")
        return Score(
            value={"success": float(played.success), "efficiency": played.efficiency},
            answer=" ".join(map(str, played.actions)),
            explanation=state.store.get("error") or played.cause or "success",
            metadata={name: getattr(played, name) for name in names},
        )

    return score
