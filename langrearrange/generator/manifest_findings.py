"""Compares a manifest with the content and the spec of its set. Not for single episodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from langrearrange.dataset import Manifest
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.generator.parallel import case_counts
from langrearrange.generator.prove import Finding
from langrearrange.generator.spec import PUBLISHED, SplitSpec
from langrearrange.world.vocabulary import SPLITS


def manifest_findings(
    manifest: Manifest,
    templates: Mapping[str, int],
    counts: Mapping[str, Mapping[str, int]],
    spec: SplitSpec | None,
    *,
    exact: bool,
) -> Iterator[Finding]:
    """Yield a finding for every wrong field.

    Args:
        manifest: of the set; the reader has compared members and ids with the content.
        templates: template id -> episodes, as counted in the content.
        counts: further counts of the content.
        spec: what the set says it was generated from, None for other origins.
        exact: that spec gives these very episodes: it has its key, and nothing has changed since.
    """
    given: dict[str, Any] = {"templates": dict(templates), "counts": dict(counts)}
    names = {manifest.split, manifest.id_split}
    said = msgspec.structs.asdict(manifest)
    if spec is not None:
        names = {spec.name, spec.split}
        given |= {"split": spec.name, "id_split": spec.split, "ids": None}
    elif manifest.ids is not None:
        given["id_split"] = manifest.split
    if spec is not None and exact:
        order = blueprint_of(spec).order
        given["templates"] = dict(zip(order.templates, order.counts, strict=True))
        given["counts"] |= case_counts(blueprint_of(spec))
    elif spec is not None:
        said["counts"] = {name: said["counts"][name] for name in said["counts"] if name != "case"}
        said["templates"] = {name: count for name, count in said["templates"].items() if count}
    for name in sorted(names.intersection(SPLITS)):
        if spec is None or spec != _published(spec) or manifest.commitment:
            message = f"'{name}' is a published split, made from another spec than this set"
            yield Finding("provenance", "", message)
    for field, value in given.items():
        if said[field] != value:
            yield Finding("manifest", "", f"'{field}': {_difference(said[field], value)}")


def _published(spec: SplitSpec) -> SplitSpec | None:
    """Return the published spec of this name, of as many episodes."""
    spec_of_name = PUBLISHED.get(spec.name)
    return spec_of_name and msgspec.structs.replace(spec_of_name, num_episodes=spec.num_episodes)


def _difference(said: Any, found: Any) -> str:
    """Return what two values are, of mappings only what differs."""
    if isinstance(said, dict) and isinstance(found, dict):
        names = [name for name in said | found if said.get(name) != found.get(name)]
        said, found = ({n: side.get(n) for n in names} for side in (said, found))
    return f"the manifest says {said!r:.200}; content and spec give {found!r:.200}"
