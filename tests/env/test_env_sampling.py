"""The order of episodes: a function of the seed, uniform over templates, without replacement."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langrearrange.dataset import Episode
from langrearrange.dataset.episode import MAX_VARIANT
from langrearrange.dataset.source import EpisodeList
from langrearrange.env.episodes import find_episode, open_episodes
from langrearrange.env.sampling import Pools, Sampler
from langrearrange.errors import DatasetError, UsageError
from langrearrange.seeding import HOUSE_VERSION, KeyedPermutation, digest
from langrearrange.testing import toy_episodes

TOY = toy_episodes()


def many() -> EpisodeList:
    """20 episodes: 12 of one template, 7 of another, 1 of a third."""
    sizes = {"move": 12, "find": 7, "all": 1}
    episodes: list[Episode] = []
    for template, size in sizes.items():
        for _ in range(size):
            name = f"toy/{len(episodes):06d}"
            episodes.append(msgspec.structs.replace(TOY[0], id=name, template=template))
    return EpisodeList(episodes)


POOLS = Pools(many())
SEEDS = st.integers(0, 2**130)


def order(seed: int, count: int, sampling: str = "weighted", **kwargs: Any) -> list[Any]:
    sampler = Sampler(POOLS, sampling, **kwargs)
    sampler.seed(seed)
    return [sampler.next() for _ in range(count)]


@given(SEEDS, st.sampled_from(["weighted", "uniform", "sequential"]))
def test_the_order_is_a_function_of_the_seed(seed: int, sampling: str) -> None:
    assert order(seed, 50, sampling) == order(seed, 50, sampling)


def test_orders_are_pinned() -> None:
    """The same on every machine and in every release of v0; saved envs go on as they began."""
    assert order(0, 8, fresh_variants=True) == [
        (19, 226590), (6, 604367), (16, 519893), (10, 503925),
        (19, 920234), (14, 85179), (17, 855476), (2, 349915),
    ]  # fmt: skip
    epochs = order(0, 24, "uniform", fresh_variants=True)
    assert [draw.position for draw in epochs[:8]] == [13, 12, 10, 8, 11, 6, 9, 5]
    assert epochs[18:22] == [(19, 226590), (4, 430222), (12, 729103), (4, 629968)]
    assert order(0, 2, "sequential", fresh_variants=True) == [(0, 383748), (1, 480743)]


def test_variants_differ_between_seeds_passes_and_ids() -> None:
    def variants(**kwargs: Any) -> dict[int, int]:
        return {d.position: d.variant for d in order(fresh_variants=True, **kwargs)}

    one = variants(seed=1, count=20, sampling="uniform")
    assert len(set(one.values())) == 20, "ids"
    two = variants(seed=2, count=20, sampling="uniform")
    assert not any(one[position] == two[position] for position in one), "seeds"
    again = {d.position: d.variant for d in order(1, 40, "uniform", fresh_variants=True)[20:]}
    assert not any(one[position] == again[position] for position in one), "passes"


def test_neighbouring_seeds_have_unrelated_orders() -> None:
    first, second = order(0, 40), order(1, 40)
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 15
    assert first[1:] != second[:-1]


def test_weighted_draws_the_template_uniformly() -> None:
    templates = Counter(POOLS.source.template_at(draw.position) for draw in order(3, 3000))
    assert all(900 < templates[name] < 1100 for name in ("move", "find", "all"))


@given(SEEDS)
def test_within_a_template_a_pass_has_no_repetition_and_a_new_pass_another_order(seed: int) -> None:
    moves = [d.position for d in order(seed, 120) if d.position < 12]
    first, second = moves[:12], moves[12:24]
    assert sorted(first) == sorted(second) == list(range(12))
    assert seed > 100 or first != second


@given(SEEDS)
def test_uniform_plays_every_episode_once_an_epoch(seed: int) -> None:
    positions = [d.position for d in order(seed, 40, "uniform")]
    assert sorted(positions[:20]) == sorted(positions[20:]) == list(range(20))


def test_sequential_is_file_order_whatever_the_seed_and_begins_again() -> None:
    positions = [d.position for d in order(7, 45, "sequential")]
    assert positions == [*range(20), *range(20), *range(5)]


def test_sequential_once_deals_every_episode_to_exactly_one_of_several_samplers() -> None:
    dealt = []
    for start in range(3):
        sampler = Sampler(POOLS, "sequential", start=start, stride=3, once=True)
        while (draw := sampler.next()) is not None:
            assert draw.position % 3 == start
            dealt.append(draw.position)
        assert not sampler.left
    assert sorted(dealt) == list(range(20))


def test_fresh_variants_are_keyed_by_seed_template_pass_and_id() -> None:
    draws = order(5, 200, fresh_variants=True)
    assert draws == order(5, 200, fresh_variants=True)
    assert all(1 <= draw.variant <= MAX_VARIANT for draw in draws)
    again = [draw.variant for draw in draws if draw.position == 19]  # the only one of its template
    assert len(set(again)) == len(again) > 30
    assert [d.position for d in draws] == [d.position for d in order(5, 200)]
    assert {draw.variant for draw in order(5, 9, variant=4)} == {4}


@given(SEEDS, st.integers(0, 60), st.sampled_from(["weighted", "uniform", "sequential"]))
def test_a_saved_order_continues_exactly(seed: int, before: int, sampling: str) -> None:
    sampler = Sampler(POOLS, sampling, fresh_variants=True)
    sampler.seed(seed)
    for _ in range(before):
        sampler.next()
    saved = json.loads(json.dumps(sampler.saved()))
    expected = [sampler.next() for _ in range(30)]
    other = Sampler(POOLS, sampling, fresh_variants=True)
    other.restore(saved)
    assert [other.next() for _ in range(30)] == expected


def test_chosen_episodes_keep_the_order_they_were_given_in() -> None:
    chosen = open_episodes("train_mini", [TOY[4], TOY[0], TOY[3]])
    assert [chosen.id_at(i) for i in range(3)] == ["toy/000004", "toy/000000", "toy/000003"]
    assert find_episode(chosen, "toy/000003") == TOY[3]
    with pytest.raises(DatasetError, match=r"toy/000002.*not among the 3"):
        find_episode(chosen, "toy/000002")


def test_a_source_is_taken_as_it_is() -> None:
    source = many()
    assert open_episodes("train_mini", source) is source
    with pytest.raises(DatasetError, match="no episode"):
        find_episode(source, "toy/000777")


@pytest.mark.parametrize("episodes", [[], (), 3, [3], [TOY[0], "toy/000001"], {"a": 1}])
def test_what_names_no_episodes_is_refused(
    episodes: Any,
) -> None:
    with pytest.raises(UsageError, match="accepted: a non-empty list"):
        open_episodes("train_mini", episodes)


def written_out(seed: int, count: int, sampling: str) -> list[tuple[int, int]]:
    """The draws by the promise alone: every draw is found from all those before it."""
    source = POOLS.source
    templates = list(dict.fromkeys(map(source.template_at, range(len(source)))))
    draws: list[tuple[int, int]] = []
    for cursor in range(count):
        epoch, rank = divmod(cursor, len(source))
        key: tuple[int | str, ...]
        if sampling == "uniform":
            pass_, pool, key = epoch, list(range(len(source))), (seed, epoch)
        else:
            number = int.from_bytes(digest("env template", seed, epoch, rank), "big")
            template = templates[number % len(templates)]
            pool = [i for i in range(len(source)) if source.template_at(i) == template]
            pass_, rank = divmod(sum(draw[0] in pool for draw in draws), len(pool))
            key = (seed, template, pass_)
        position = pool[KeyedPermutation(len(pool), HOUSE_VERSION, "env order", *key)[rank]]
        template, name = source.template_at(position), source.id_at(position)
        variant = digest("env variant", seed, template, pass_, name)
        draws.append((position, 1 + int.from_bytes(variant, "big") % 999_999))
    return draws


@settings(max_examples=30)
@given(SEEDS, st.sampled_from(["weighted", "uniform"]))
def test_every_draw_follows_from_the_seed_and_the_draws_before_it(seed: int, sampling: str) -> None:
    drawn = [(d.position, d.variant) for d in order(seed, 70, sampling, fresh_variants=True)]
    assert drawn == written_out(seed, 70, sampling)
