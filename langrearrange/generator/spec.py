"""What makes a split: templates, flats, how many episodes, difficulty knobs, key. Values only.

Not for drawing: `generator.blueprint` turns a spec into text spaces and orders.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from langrearrange.dataset.codec import check_schema
from langrearrange.errors import TemplateError, UsageError, VocabularyError, did_you_mean
from langrearrange.houses.homes import register_homes
from langrearrange.language.nodes import read_yaml, stamp
from langrearrange.seeding import EPISODE_VERSION, KeyedPermutation, KeyedRng, KeyPart
from langrearrange.world.vocabulary import CONTAINERS, HORIZON, RECEPTACLES, SPLITS, SURFACES

NUM_TRAIN: Final = 150_000
MIN_KEY: Final = 16
SPEC_SCHEMA: Final = 1
_ACCEPTED: Final = (
    "accepted for texts: own, train; for repeat_texts: true, false; whole numbers for the knobs"
)
_NAME: Final = re.compile(r"[a-z][a-z_]*\Z")


class SplitSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an episode depends on besides its index and variant.

    Attributes:
        schema_version: of this record.
        name: name of the set.
        split: what stands in the episode ids and enters every draw; `name` if empty. A view
            (train_mini) has another's.
        templates: a file of the templates folder without `.yaml`, or the path of any template file.
        houses: which homes, see `houses.houses_for`: train (63 flats), validation (21) or test
            (21); replica_cad_train and so on are homes of the user's ReplicaCAD, with YCB's things
            in them; module:factory is a `HomeSource` of a third party.
        num_episodes: None for all the texts there are.
        texts: `own`: a keyed walk through the templates' text space; `train`: through the texts of
            the published training episodes of these templates.
        repeat_texts: go round the text space again when it is spent; for sealed sets.
        key: secret that enters every draw, empty for the published sets. Never written to disk.
        min_objects, max_objects: how many objects a flat holds, inclusive.
        max_per_receptacle: most objects on one receptacle at the start.
        hidden_percent: share of the objects whose place the sentence leaves open that start in the
            fridge or a drawer.
        fridge_open_percent: how often the fridge starts open where nothing decides it.
        horizon: skills an episode may take; plans have at most one less.
    """

    schema_version: int = SPEC_SCHEMA
    name: str
    split: str = ""
    templates: str
    houses: str = "test"
    num_episodes: int | None = None
    texts: Literal["own", "train"] = "own"
    repeat_texts: bool = False
    key: str = ""
    min_objects: int = 15
    max_objects: int = 30
    max_per_receptacle: int = 5
    hidden_percent: int = 20
    fridge_open_percent: int = 25
    horizon: int = HORIZON

    def __post_init__(self) -> None:
        """Raise UsageError for values that no episode can be drawn from."""
        if not self.split:
            msgspec.structs.force_setattr(self, "split", self.name)
        for name in (self.name, self.split):
            if not _NAME.match(name):
                raise UsageError(
                    f"spec: '{name}' is an invalid split name; use letters a-z and underscores"
                )
        for name in sorted(_PLAIN):
            value = getattr(self, name)
            wanted = bool if name == "repeat_texts" else int
            if type(value) is not wanted and (value is not None or name != "num_episodes"):
                raise UsageError(f"spec '{self.name}': {name} is {value!r:.80}; {_ACCEPTED}")
        if self.num_episodes is not None and not 1 <= self.num_episodes <= 1_000_000:
            raise UsageError(
                f"spec '{self.name}': num_episodes is {self.num_episodes}; accepted: 1 to 1,000,000"
            )
        if self.num_episodes is None and self.repeat_texts:
            raise UsageError(f"spec '{self.name}': with repeat_texts, num_episodes must be given")
        self._check_knobs()
        self._check_key()

    def _check_knobs(self) -> None:
        most = self.max_per_receptacle * len(RECEPTACLES)
        limits = {
            "min_objects": (self.min_objects, 1, self.max_objects),
            "max_objects": (self.max_objects, self.min_objects, min(60, most)),
            "max_per_receptacle": (self.max_per_receptacle, 1, 6),
            "hidden_percent": (self.hidden_percent, 0, 100),
            "fridge_open_percent": (self.fridge_open_percent, 0, 100),
            "horizon": (self.horizon, 2, 64),
        }
        for name, (value, low, high) in limits.items():
            if not low <= value <= high:
                raise UsageError(
                    f"spec '{self.name}': {name} is {value}; accepted: {low} to {high}"
                )
        hidden = self.max_objects * self.hidden_percent // 100
        if hidden > self.max_per_receptacle * len(
            CONTAINERS
        ) or self.max_objects - hidden > self.max_per_receptacle * len(SURFACES):
            raise UsageError(
                f"spec '{self.name}': {self.max_objects} objects, {self.hidden_percent} % of them "
                f"hidden, do not fit with {self.max_per_receptacle} per receptacle; lower one"
            )

    def _check_key(self) -> None:
        if self.key and self.split in SPLITS:
            raise UsageError(
                f"spec '{self.name}': a sealed set needs a name of its own, '{self.split}' is a "
                f"published split; try 'sealed_{self.split}'"
            )
        if self.key and len(self.key) < MIN_KEY:
            raise UsageError(
                f"the key of a sealed set has {len(self.key)} characters; accepted: at least "
                f"{MIN_KEY}, so that it cannot be guessed; python -c 'import secrets; "
                "print(secrets.token_hex(16))' draws one"
            )

    def rng(self, *parts: KeyPart) -> KeyedRng:
        """Return the draws of a purpose: keyed by episode version, key, split and the parts."""
        return KeyedRng(EPISODE_VERSION, self.key, self.split, *parts)

    def permutation(self, size: int, *parts: KeyPart) -> KeyedPermutation:
        """Return a permutation of range(size), keyed like `rng`."""
        return KeyedPermutation(size, EPISODE_VERSION, self.key, self.split, *parts)

    def public(self) -> dict[str, Any]:
        """Return the spec as a manifest holds it: plain values, without the key."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        del fields["key"]
        return fields


_PLAIN: Final = frozenset(
    field.name
    for field in msgspec.structs.fields(SplitSpec)
    if field.default is None or isinstance(field.default, int)
)
"""Fields that are numbers, true or false."""

_OF_TRAIN: Final[dict[str, dict[str, Any]]] = {
    "train": {"houses": "train", "num_episodes": NUM_TRAIN},
    "train_mini": {"houses": "train", "num_episodes": 1_000, "split": "train"},
    "train_eval": {"houses": "train", "texts": "train"},
    "validation": {"houses": "validation", "num_episodes": 200},
    "new_scenes": {"texts": "train"},
}
"""Splits that use train's templates -> where their spec differs from a test split's."""
PUBLISHED: Final = {
    split: SplitSpec(
        **{"name": split, "templates": "train" if split in _OF_TRAIN else split}
        | {"num_episodes": 100}
        | _OF_TRAIN.get(split, {})
    )
    for split in SPLITS
}
"""Split name -> its spec: the 14 of the benchmark."""


def load_spec(split: str | Path, *, key: str = "", num_episodes: int | None = None) -> SplitSpec:
    """Return the spec of a published split, or read one from a file.

    Args:
        split: name of a split, or path of a YAML file with the fields of `SplitSpec`.
        key: secret for a sealed set.
        num_episodes: overrides the spec's.

    Raises:
        VocabularyError: neither a published split nor a file.
        UsageError: the file has unknown fields or values.
    """
    spec = PUBLISHED.get(str(split))
    if spec is None:
        path = Path(split)
        if not stamp(path)[0]:
            raise VocabularyError(
                f"'{split}' is neither a split nor a spec file; splits: {', '.join(SPLITS)}"
                + did_you_mean(split, SPLITS)
            )
        spec = _read(path)
    if key:
        spec = msgspec.structs.replace(spec, key=key)
    if num_episodes is not None:
        spec = msgspec.structs.replace(spec, num_episodes=num_episodes)
    return spec


def _read(path: Path) -> SplitSpec:
    known = [name for name in SplitSpec.__struct_fields__ if name != "key"]
    try:
        root, _ = read_yaml(path)
        nodes = root.fields("a spec (the key goes to --key)", ("name", "templates"), known)
        fields = {name: node.text() for name, node in nodes.items()}
        for name in _PLAIN.intersection(nodes):
            if nodes[name].quoted or not fields[name].isascii():
                nodes[name].fail(f"{name} is a text, {fields[name]!a}; {_ACCEPTED}, without quotes")
    except TemplateError as error:
        raise UsageError(str(error)) from None
    version = fields.get("schema_version", "1")
    if version.isdecimal():
        check_schema(int(version[:9]), SPEC_SCHEMA, str(path))
    for name in (fields["name"], fields.get("split", "")):
        if name in SPLITS:
            raise UsageError(
                f"{path}: '{name}' is a published split, whose ids always mean the same episodes; "
                f"call yours something else, for example 'my_{name}'"
            )
    beside = path.parent / fields["templates"]
    if beside.suffix == ".yaml" and stamp(beside)[0]:
        fields["templates"] = str(beside)
    try:
        spec = msgspec.convert(fields, SplitSpec, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {error}; {_ACCEPTED}") from None
    if ":" in spec.houses:  # whoever writes a spec means its homes to be used
        register_homes(spec.houses.partition("/")[0])
    return spec
