"""langrearrange: language-conditioned household rearrangement.

Importing this package registers `LangRearrange-v0` and `LangRearrangeHard-v0` with Gymnasium:

    import gymnasium as gym
    import langrearrange
    env = gym.make("LangRearrange-v0")

Everything else is loaded when an env is made, so that the import stays light.
"""

from gymnasium.envs.registration import register as _register

__version__ = "0.1.0"

# The horizon is counted inside the env: Gymnasium's TimeLimit wrapper would break save/restore.
_register(
    id="LangRearrange-v0",
    entry_point="langrearrange.env:LangRearrangeEnv",
    vector_entry_point="langrearrange.env:LangRearrangeVectorEnv",
)
_register(
    id="LangRearrangeHard-v0",
    entry_point="langrearrange.env:LangRearrangeHardEnv",
    vector_entry_point="langrearrange.env:LangRearrangeHardVectorEnv",
)
