"""Frozen vision encoders for learned agents: pictures in, feature vectors out.

`load_encoder` is all that an agent needs; `python -m langrearrange_baselines.vision.pretrain` makes
the default encoder's weights again. docs/vision.md says how accurate it is.
"""

from .encoder import SymbolicEncoder, VisionEncoder, VisionError
from .loading import NAMES, load_encoder

__all__ = ["NAMES", "SymbolicEncoder", "VisionEncoder", "VisionError", "load_encoder"]
