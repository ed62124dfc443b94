from __future__ import annotations

from langrearrange.world import SKILLS
from langrearrange.world import vocabulary as v


def test_the_seventy_skills_keep_the_released_index_order() -> None:
    kinds = [skill.kind for skill in SKILLS]
    assert len(SKILLS) == 70
    assert [skill.index for skill in SKILLS] == list(range(70))
    assert (
        kinds
        == ["nav"] * 16
        + ["pick"] * 33
        + ["place"] * 11
        + ["open", "close"]
        + ["open"] * 4
        + ["close"] * 4
    )
    assert SKILLS[0].id == "nav(left_drawer_handle)"
    assert SKILLS[16].id == "pick(ball)"
    assert SKILLS[48].id == "pick(wrench)"
    assert SKILLS[60].id == "open(fridge)"
    assert SKILLS[69].id == "close(bottom_drawer)"


def test_every_skill_has_a_unique_id_and_english_name() -> None:
    assert len({skill.id for skill in SKILLS}) == 70
    assert len({skill.name for skill in SKILLS}) == 70


def test_groups_partition_the_categories() -> None:
    members = [category for group in v.GROUPS.values() for category in group]
    assert sorted(members) == sorted(v.CATEGORIES)
    assert not set(v.GROUPS) & set(v.CATEGORIES)


def test_no_name_stands_for_two_kinds_of_things() -> None:
    names = [*v.CATEGORIES, *v.GROUPS, *v.NAV_TARGETS]
    assert len(set(names)) == len(names)


def test_middle_and_bottom_drawer_hold_nothing() -> None:
    assert set(v.OPENABLES) - set(v.CONTAINERS) == {"middle_drawer", "bottom_drawer"}
    assert not {"middle_drawer", "bottom_drawer"} & set(v.RECEPTACLES)


def test_the_nine_scored_splits_are_the_papers() -> None:
    assert len(v.PARAPHRASTIC_SPLITS) == 5
    assert len(v.BEHAVIOR_SPLITS) == 4
    assert len(v.TEST_SPLITS) == 10
    assert set(v.TEST_SPLITS) < set(v.SPLITS)
