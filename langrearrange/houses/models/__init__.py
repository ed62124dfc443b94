"""Object models of all 33 categories, made by code; nothing is downloaded.

For placement see `houses.slots`. Meshes are built when first asked for, fitted to
their model's size, shaded by ambient occlusion and kept.
"""

from functools import cache

from langrearrange.errors import HouseError
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.models import (
    balls,
    cutlery,
    fruit,
    hardware,
    household,
    kitchenware,
    tools,
    toys,
)
from langrearrange.houses.models.base import ObjectModel, Recipe, fitted
from langrearrange.houses.occlusion import baked
from langrearrange.world.vocabulary import CATEGORIES, CATEGORY_INDEX

__all__ = ["MODELS", "ObjectModel", "models_of", "object_mesh"]


def _recipes() -> dict[str, Recipe]:
    """All recipes by id, in category order and within it as written."""
    rooms = (balls, cutlery, fruit, hardware, household, kitchenware, tools, toys)
    recipes = [recipe for room in rooms for recipe in room.RECIPES]
    recipes.sort(key=lambda recipe: CATEGORY_INDEX[recipe.model.category])
    return {recipe.model.id: recipe for recipe in recipes}


_RECIPES = _recipes()
MODELS: dict[str, ObjectModel] = {name: recipe.model for name, recipe in _RECIPES.items()}
"""Model id -> model, in the order of `world.CATEGORIES`."""


@cache
def models_of(category: str) -> tuple[ObjectModel, ...]:
    """Return the models of a category; HouseError for anything but a category."""
    if category not in CATEGORY_INDEX:
        raise HouseError(f"unknown category {category!r}; accepted: {', '.join(CATEGORIES)}")
    return tuple(model for model in MODELS.values() if model.category == category)


@cache
def object_mesh(model_id: str) -> Mesh:
    """Return a model's mesh: resting, base centre at the origin, z up, metres (cached).

    Raises:
        HouseError: no model has this id.
    """
    if model_id not in _RECIPES:
        raise HouseError(
            f"no model {model_id!r}; models_of(category) lists those of a category, MODELS all "
            f"{len(MODELS)}. Check the spelling."
        )
    recipe = _RECIPES[model_id]
    return baked(fitted(recipe.build(), recipe.model.size_mm))
