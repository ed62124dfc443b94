"""Episodes as a pure function of (spec, index, variant): drawn, proved, written, checked."""

from langrearrange.generator.make import make_episode, num_episodes
from langrearrange.generator.parallel import generate_split
from langrearrange.generator.spec import PUBLISHED, SplitSpec, load_spec
from langrearrange.generator.split import GeneratedSplit, open_split

__all__ = [
    "PUBLISHED",
    "GeneratedSplit",
    "SplitSpec",
    "generate_split",
    "load_spec",
    "make_episode",
    "num_episodes",
    "open_split",
]
