"""A spec is refused before anything is drawn from values that cannot work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from langrearrange.errors import DatasetError, GenerationError, UsageError, VocabularyError
from langrearrange.generator import PUBLISHED, SplitSpec, load_spec, num_episodes
from langrearrange.world.vocabulary import SPLITS

KEY = "correct horse battery staple"


def spec(**fields: Any) -> SplitSpec:
    base: dict[str, Any] = {"name": "mine", "templates": "context", "num_episodes": 10}
    return SplitSpec(**(base | fields))


def test_every_published_split_has_a_spec_and_its_published_size() -> None:
    assert tuple(PUBLISHED) == SPLITS
    sizes = {name: num_episodes(load_spec(name)) for name in SPLITS}
    special = {"train": 150_000, "train_mini": 1_000, "validation": 200}
    assert sizes == {name: special.get(name, 100) for name in SPLITS}


REFUSED: dict[str, dict[str, Any]] = {
    "invalid split name": {"name": "Mine 2"},
    "num_episodes is 0": {"num_episodes": 0},
    "min_objects is 31": {"min_objects": 31},
    "max_objects is 61": {"max_objects": 61},
    "hidden_percent is 101": {"hidden_percent": 101},
    "do not fit": {"max_objects": 30, "hidden_percent": 90},
    "horizon is 1": {"horizon": 1},
    "num_episodes is '8'": {"num_episodes": "8"},
    "max_per_receptacle is True": {"max_per_receptacle": True},
    "repeat_texts is 1": {"repeat_texts": 1},
    "num_episodes must be given": {"num_episodes": None, "repeat_texts": True},
    "a name of its own": {"name": "context", "key": KEY},
    "the key of a sealed set has 5 characters; accepted: at least 16": {"key": "short"},
}


@pytest.mark.parametrize("message", REFUSED)
def test_impossible_values_are_refused(message: str) -> None:
    with pytest.raises(UsageError, match=message):
        spec(**REFUSED[message])


def test_more_than_can_be_said_is_refused_with_the_number() -> None:
    with pytest.raises(GenerationError, match=r"999999 episodes are wanted.*has only \d+ diff"):
        num_episodes(spec(num_episodes=999_999))
    assert num_episodes(spec(num_episodes=999_999, repeat_texts=True)) == 999_999


def test_spec_file_is_read_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: sealed_context\ntemplates: context\nnum_episodes: 30\nhidden_percent: 40\n"
    )
    loaded = load_spec(path, key=KEY)
    assert (loaded.split, loaded.num_episodes, loaded.hidden_percent) == ("sealed_context", 30, 40)
    path.write_text("name: mine\ntemplates: context\nhiden_percent: 40\n")
    with pytest.raises(UsageError, match=r"mine.yaml:3:1: .*hiden_percent.*did you mean"):
        load_spec(path)
    path.write_text("name: mine\ntemplates: context\nhidden_percent: lots\n")
    with pytest.raises(UsageError, match=r"mine.yaml: .*hidden_percent"):
        load_spec(path)
    for number in ("'8'", '"8"', "\uff18"):
        path.write_text(f"name: mine\ntemplates: context\nnum_episodes: {number}\n", "utf-8")
        with pytest.raises(UsageError, match=r"mine.yaml:3:15: num_episodes is a text"):
            load_spec(path)
    path.write_text("name: mine\ntemplates: context\nschema_version: 9\n")
    with pytest.raises(DatasetError, match="schema version 9"):
        load_spec(path)
    with pytest.raises(VocabularyError, match="neither a split nor a spec file"):
        load_spec("contxt")


def test_a_spec_file_cannot_take_the_name_of_a_published_split(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("name: train\ntemplates: context\n")
    with pytest.raises(UsageError, match="my_train"):
        load_spec(path)
