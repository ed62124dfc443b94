"""The Gymnasium contract: single and vector env, observations, rewards, sampling, wrappers."""

from langrearrange.env.actions import check_action, check_actions
from langrearrange.env.config import EnvConfig, EnvKwargs
from langrearrange.env.observations import Observation
from langrearrange.env.rewards import PAPER_REWARD, RELEASE_REWARD, RewardConfig, reward_config
from langrearrange.env.single import LangRearrangeEnv, LangRearrangeHardEnv
from langrearrange.env.spaces import STATE_SIZES, InstructionText, action_space, observation_space
from langrearrange.env.task import STOP, Progress, Rules, Task
from langrearrange.env.text_observation import facts, text
from langrearrange.env.vector import LangRearrangeHardVectorEnv, LangRearrangeVectorEnv

__all__ = [
    "PAPER_REWARD",
    "RELEASE_REWARD",
    "STATE_SIZES",
    "STOP",
    "EnvConfig",
    "EnvKwargs",
    "InstructionText",
    "LangRearrangeEnv",
    "LangRearrangeHardEnv",
    "LangRearrangeHardVectorEnv",
    "LangRearrangeVectorEnv",
    "Observation",
    "Progress",
    "RewardConfig",
    "Rules",
    "Task",
    "action_space",
    "check_action",
    "check_actions",
    "facts",
    "observation_space",
    "reward_config",
    "text",
]
