"""The Gymnasium contract: single and vector env, observations, rewards, sampling, wrappers."""

from langrearrange.env.actions import check_action, check_actions, read_answer
from langrearrange.env.config import EnvConfig, EnvKwargs
from langrearrange.env.observations import Observations, rows_of
from langrearrange.env.observer import (
    MODALITIES,
    RANKED_MODALITIES,
    Modality,
    Observation,
    Observer,
    SymbolicObserver,
    is_modality,
    observer_factory,
)
from langrearrange.env.rewards import (
    PAPER_REWARD,
    RELEASE_REWARD,
    REWARDS,
    Reward,
    RewardConfig,
    Transition,
    make_reward,
)
from langrearrange.env.single import LangRearrangeEnv, LangRearrangeHardEnv
from langrearrange.env.spaces import STATE_SIZES, InstructionText
from langrearrange.env.task import STOP, Rules, Task
from langrearrange.env.text_observation import facts, feedback, rules_text, text
from langrearrange.env.vector import LangRearrangeHardVectorEnv, LangRearrangeVectorEnv

__all__ = [
    "MODALITIES",
    "PAPER_REWARD",
    "RANKED_MODALITIES",
    "RELEASE_REWARD",
    "REWARDS",
    "STATE_SIZES",
    "STOP",
    "EnvConfig",
    "EnvKwargs",
    "InstructionText",
    "LangRearrangeEnv",
    "LangRearrangeHardEnv",
    "LangRearrangeHardVectorEnv",
    "LangRearrangeVectorEnv",
    "Modality",
    "Observation",
    "Observations",
    "Observer",
    "Reward",
    "RewardConfig",
    "Rules",
    "SymbolicObserver",
    "Task",
    "Transition",
    "check_action",
    "check_actions",
    "facts",
    "feedback",
    "is_modality",
    "make_reward",
    "observer_factory",
    "read_answer",
    "rows_of",
    "rules_text",
    "text",
]
