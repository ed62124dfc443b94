"""Episodes as a pure function of (spec, index, variant): drawn, proved, written, checked."""

from langrearrange.generator.check import Report, check_dataset
from langrearrange.generator.make import make_episode, num_episodes
from langrearrange.generator.parallel import generate_split
from langrearrange.generator.prove import Finding, prove_episode
from langrearrange.generator.spec import PUBLISHED, SplitSpec, load_spec
from langrearrange.generator.split import GeneratedSplit, open_split

__all__ = [
    "PUBLISHED",
    "Finding",
    "GeneratedSplit",
    "Report",
    "SplitSpec",
    "check_dataset",
    "generate_split",
    "load_spec",
    "make_episode",
    "num_episodes",
    "open_split",
    "prove_episode",
]
