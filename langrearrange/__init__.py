"""langrearrange: language-conditioned household rearrangement.

Importing this package registers `LangRearrange-v0` and `LangRearrangeHard-v0` with Gymnasium:

    import gymnasium as gym
    import langrearrange
    env = gym.make("LangRearrange-v0")
"""

__version__ = "0.1.0"
