"""What the episodes of a set depend on besides index and variant, and what of it has changed.

Looks are left out: no mesh, texture or colour enters an episode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from langrearrange.dataset import Provenance
from langrearrange.generator.blueprint import Blueprint
from langrearrange.generator.spec import SplitSpec
from langrearrange.houses import get_house
from langrearrange.houses.homes import source_of
from langrearrange.seeding import EPISODE_VERSION, HOUSE_VERSION, digest
from langrearrange.world.vocabulary import CATEGORIES


def provenance_of(blueprint: Blueprint) -> Provenance:
    """Return the provenance of a set generated now; reads every flat of the split (0.3 s)."""
    return Provenance(**{field: now(blueprint) for field, (_, now) in _ORIGINS.items()})


def changes(stored: Provenance | None, blueprint: Blueprint, *, flats: bool = True) -> str:
    """Return what has changed since a set was generated.

    Args:
        stored: from the set's manifest; None for a set of another origin.
        blueprint: of its spec.
        flats: compare the flats as well, which takes a tenth of a second or more.

    Returns:
        One sentence: what changed, what that means, what to do; "" where nothing did.
    """
    changed = [
        what
        for field, (what, now) in _ORIGINS.items()
        if (flats or field != "houses_sha256") and getattr(stored, field, None) != now(blueprint)
    ]
    if not changed:
        return ""
    return (
        f"'{blueprint.spec.name}' was generated from other {' and '.join(changed)} than those at "
        "hand, so some of its episodes would be drawn otherwise now; undo that change, or generate "
        "the set again (docs/add-a-model.md)"
    )


def commitment(spec: SplitSpec, provenance: Provenance) -> str:
    """Return the commitment to a sealed set: published before the key is.

    Returns:
        64 hex digits over the spec with its key and everything else that the episodes depend on;
        "" without a key.
    """
    if not spec.key:
        return ""
    fields = (msgspec.json.encode(value).decode() for value in (spec, provenance))
    return digest("commitment", *fields).hex()


def _models_sha256(blueprint: Blueprint) -> str:
    """Return the hash of ids, categories and sizes of the models that may be drawn, in order."""
    source = source_of(blueprint.houses[0])
    models = (model for category in CATEGORIES for model in source.models_of(category))
    parts = (part for m in models for part in (m.id, m.category, *m.size_mm))
    return digest(*parts).hex()


def _houses_sha256(blueprint: Blueprint) -> str:
    """Return the hash of the flats' stances, slots, free cells and relations."""
    flats = []
    for house in map(get_house, blueprint.houses):
        stances, surfaces = dict(house.stances), dict(house.surfaces)
        flats.append((house.id, stances, surfaces, house.start_cells, house.relations))
    return digest(msgspec.json.encode(flats).decode()).hex()


_ORIGINS: Final[Mapping[str, tuple[str, Callable[[Blueprint], Any]]]] = {
    "spec": ("settings of its spec", lambda blueprint: blueprint.spec.public()),
    "episode_version": ("draws (EPISODE_VERSION)", lambda _: EPISODE_VERSION),
    "house_version": ("draws (HOUSE_VERSION)", lambda _: HOUSE_VERSION),
    "templates_sha256": ("templates or words", lambda blueprint: blueprint.file.sha256),
    "models_sha256": ("object models", _models_sha256),
    "houses_sha256": ("flats", _houses_sha256),
}
"""Field of `Provenance` -> its name in messages, and its value now."""
