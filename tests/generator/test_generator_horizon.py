"""A plan leaves one skill of the horizon unused, so that `stop` fits in the hard variant."""

import pytest
from msgspec.structs import replace

from langrearrange.errors import GenerationError
from langrearrange.generator import load_spec, make_episode

SPEC = load_spec("train", num_episodes=45)


def test_the_longest_plan_is_one_skill_shorter_than_the_horizon() -> None:
    index = next(i for i in range(45) if len(make_episode(SPEC, i).plan) == 4)
    episode = make_episode(SPEC, index)
    assert make_episode(replace(SPEC, horizon=5), index) == episode
    with pytest.raises(GenerationError, match="no plan of at most 3 skills"):
        make_episode(replace(SPEC, horizon=4), index)
