"""Names of the official release and what they are here: assets, receptacles, markers, files.

Facts only (names are its interface); not its wording. Nothing here reads a file.
"""

from __future__ import annotations

import re
from typing import Final

from langrearrange.errors import EpisodeError
from langrearrange.world.vocabulary import CATEGORIES

PREFIX: Final = "official_"
"""Begins the names of imported splits and homes."""

_SPLITS: Final = {"rephrasing": "instruction_rephrasing"}
SWAPPED: Final = ("multiple_objects", "multiple_rearrangements")
"""Two files that have each other's name; distinguished by what their goals quantify over."""
_STEM: Final = re.compile(r"[a-z][a-z_]*\Z")

RECEPTACLE_OF: Final = {
    "receptacle_aabb_Chr1_Top1_frl_apartment_chair_01": "chair",
    "receptacle_aabb_Tbl1_Top1_frl_apartment_table_01": "black_table",
    "receptacle_aabb_Tbl2_Top1_frl_apartment_table_02": "brown_table",
    "receptacle_aabb_TvStnd1_Top1_frl_apartment_tvstand": "tv_stand",
    "receptacle_aabb_sink_kitchen_counter": "sink",
    "receptacle_aabb_counter_right_kitchen_counter": "right_counter",
    "receptacle_aabb_counter_left_kitchen_counter": "left_counter",
    "receptacle_aabb_Sofa_frl_apartment_sofa": "sofa",
    "receptacle_aabb_middle_topfrl_apartment_refrigerator": "fridge",
    "receptacle_aabb_drawer_left_top_frl_apartment_kitchen_counter": "left_drawer",
    "receptacle_aabb_drawer_right_top_frl_apartment_kitchen_counter": "right_drawer",
}
OPENABLE_OF: Final = {
    "fridge_push_point": "fridge",
    "cab_push_point_7": "left_drawer",
    "cab_push_point_6": "middle_drawer",
    "cab_push_point_5": "right_drawer",
    "cab_push_point_4": "bottom_drawer",
}
"""Marker -> what opens there."""
SPOT_OF: Final = {**RECEPTACLE_OF, **OPENABLE_OF}
"""Where one can be said to stand."""


def _assets() -> dict[str, str]:
    several = {
        "ball": "053_mini_soccer_ball 054_softball 055_baseball 056_tennis_ball 057_racquetball",
        "clamp": "050_medium_clamp 051_large_clamp 052_extra_large_clamp",
        "hammer": "048_hammer",
        "screwdriver": "043_phillips_screwdriver 044_flat_screwdriver",
        "wrench": "042_adjustable_wrench",
        "padlock": "038_padlock",
        "scissors": "037_scissors",
        "block": "036_wood_block 070-a_colored_wood_blocks 070-b_colored_wood_blocks",
        "drill": "035_power_drill",
        "spatula": "033_spatula",
        "knife": "032_knife",
        "spoon": "031_spoon",
        "plate": "029_plate",
        "lid": "028_skillet_lid",
        "sponge": "026_sponge",
        "cleanser": "021_bleach_cleanser",
        "plum": "018_plum",
        "orange": "017_orange",
        "pear": "016_pear",
        "peach": "015_peach",
        "apple": "013_apple",
        "lemon": "014_lemon",
        "can": "002_master_chef_can 005_tomato_soup_can 007_tuna_fish_can 010_potted_meat_can",
        "box": "003_cracker_box 004_sugar_box 008_pudding_box 009_gelatin_box",
        "banana": "011_banana",
        "strawberry": "012_strawberry",
        "toy_airplane": " ".join(f"072-{letter}_toy_airplane" for letter in "abcde"),
        "lego": " ".join(f"073-{letter}_lego_duplo" for letter in "abcdefg"),
        "rubiks_cube": "077_rubiks_cube",
        "book": " ".join(f"frl_apartment_book_0{n}" for n in range(1, 7)),
        "bowl": " ".join(f"frl_apartment_bowl_0{n}" for n in (1, 2, 3, 6, 7)) + " 024_bowl",
        "mug": "025_mug",
        "cup": " ".join(
            [f"065-{letter}_cups" for letter in "abcdefghij"]
            + [f"frl_apartment_cup_0{n}" for n in (1, 2, 3, 5)]
        ),
    }
    return {asset: category for category, names in several.items() for asset in names.split()}


CATEGORY_OF_ASSET: Final = _assets()
"""The 81 assets."""
OFFICIAL_CATEGORY: Final = {"rubriks cube": "rubiks_cube", "toy airplane": "toy_airplane"}
"""Category names that are spelled otherwise there."""


def category_of(name: str) -> str:
    """Return our category for the release's name of one; EpisodeError if there is none."""
    category = OFFICIAL_CATEGORY.get(name, name)
    if category not in CATEGORIES:
        raise EpisodeError(f"unknown category {name[:60]!a}")
    return category


def is_category(name: str) -> bool:
    """Whether the release's name is one of a category."""
    return OFFICIAL_CATEGORY.get(name, name) in CATEGORIES


def known(table: dict[str, str], name: str, what: str) -> str:
    """Return a name's meaning; EpisodeError that says what it should have been."""
    if name not in table:
        raise EpisodeError(f"unknown {what} {name[:80]!a}; accepted: the {len(table)} released")
    return table[name]


def split_of(stem: str, for_all: bool) -> str:
    """Return the split of a released file.

    Args:
        stem: the file's name without its ending.
        for_all: whether its goals quantify over all objects of a category.

    Raises:
        EpisodeError: the name makes no split name.
    """
    if _STEM.match(stem) is None:
        raise EpisodeError(
            f"{stem[:60]!a} makes no split name; name the file as it was published, for example "
            "context.pickle (small letters and underscores)"
        )
    if stem in SWAPPED:
        stem = SWAPPED[0] if for_all else SWAPPED[1]
    return PREFIX + _SPLITS.get(stem, stem)
