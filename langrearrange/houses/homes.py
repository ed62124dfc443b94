"""Sources of houses, looked up by the id of a house.

`flats` are procedural and ReplicaCAD's homes are read by `langrearrange.habitat`; a third party's
source is called `module:factory` and its houses `module:factory/name`. Opening a data set never
imports a module: third-party sources must be registered with `register_homes` or listed in
LANGREARRANGE_HOMES, which worker processes inherit.
"""

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Final, Protocol, runtime_checkable

from langrearrange.errors import HouseError
from langrearrange.houses.house import House
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.models import MODELS, ObjectModel, models_of, object_mesh
from langrearrange.loading import call_factory, load_object

HOMES_VARIABLE: Final = "LANGREARRANGE_HOMES"
"""Environment variable that lists sources of third parties, `module:factory`, comma-separated."""
FLATS: Final = "flat_"
_BUILT_IN: Final = {
    FLATS: "langrearrange.houses.flat_source:FlatSource",
    "official_": "langrearrange.habitat.homes:ReplicaCadSource",
}
"""Beginning of house ids -> the source that has them."""


@runtime_checkable
class HomeSource(Protocol):
    """Homes and their object models.

    Subclasses define `roles`, `house` and `part_mesh`. The object models are this package's
    unless the other three methods are overridden as well. All methods are pure: the same argument
    gives the same value in every process.
    """

    @abstractmethod
    def roles(self) -> Mapping[str, Sequence[str]]:
        """Return role -> names of the homes set aside for it; reads no file."""

    @abstractmethod
    def house(self, name: str) -> House:
        """Return a home with all receptacles, stances and slots; HouseError if there is none."""

    @abstractmethod
    def part_mesh(self, key: str) -> Mesh:
        """Return the mesh of a `Part.mesh`, for simulators that draw meshes; HouseError if none."""

    def models_of(self, category: str) -> Sequence[ObjectModel]:
        """Return the models of a category that may stand in these homes, always in one order."""
        return models_of(category)

    def model(self, model_id: str) -> ObjectModel:
        """Return a model by its id; HouseError if there is none."""
        if model_id not in MODELS:
            raise HouseError(
                f"unknown model '{model_id}'; `langrearrange.houses.MODELS` lists all {len(MODELS)}"
            )
        return MODELS[model_id]

    def model_mesh(self, model_id: str) -> Mesh:
        """Return a model's mesh, at rest on z = 0; HouseError if there is none."""
        return object_mesh(model_id)


def register_homes(source: str) -> None:
    """Register a third-party source in this process and in its child processes.

    Args:
        source: `module:factory`; calling the factory without arguments makes a `HomeSource`.

    Raises:
        HouseError: it cannot be imported or made, or is not a home source.
    """
    _made(source)
    known = _registered()
    if source not in known:
        os.environ[HOMES_VARIABLE] = ",".join([*known, source])


def source_name(house_id: str) -> str:
    """Return the name of the source that a house's id belongs to."""
    if ":" in house_id:
        return house_id.partition("/")[0]
    return next((begin for begin in _BUILT_IN if house_id.startswith(begin)), FLATS)


def source_of(house_id: str) -> HomeSource:
    """Return the source that a house's id belongs to; errors as `home_source`."""
    return home_source(source_name(house_id))


def home_source(name: str) -> HomeSource:
    """Return a source by its name; HouseError if it is not registered or cannot be made."""
    if name not in _BUILT_IN and name not in _registered():
        raise HouseError(
            f"homes of '{name}' are used here but not registered; accepted: flats, ReplicaCAD "
            f"and what {HOMES_VARIABLE} lists ({', '.join(_registered()) or 'nothing'}); set it to "
            f"{name}, or call langrearrange.houses.register_homes('{name}')"
        )
    return _made(name)


@lru_cache(maxsize=128)
def get_house(house_id: str) -> House:
    """Return a house; the same object every time.

    Raises:
        HouseError: there is none of this id.
        DatasetError: files of it are missing or damaged.
    """
    name = source_name(house_id)
    house = home_source(name).house(house_id.removeprefix(f"{name}/"))
    return house if house.id == house_id else replace(house, id=house_id)


def houses_for(role: str) -> tuple[str, ...]:
    """Return the ids of the houses for a role.

    Args:
        role: `train` (63), `validation` (21) or `test` (21) are our flats; the same with
            `replica_cad_` before them, ReplicaCAD's homes; `module:factory/role`, or without a
            role for all of them, homes of a third party.

    Raises:
        HouseError: there are no homes for this role.
    """
    if ":" in role:
        name, _, own = role.partition("/")
        roles = home_source(name).roles()
        if own and own not in roles:
            raise HouseError(f"'{name}' has no homes for '{own}'; accepted: {', '.join(roles)}")
        chosen = [roles[own]] if own else roles.values()
        return tuple(dict.fromkeys(f"{name}/{house}" for names in chosen for house in names))
    known: list[str] = []
    for name in _BUILT_IN:
        roles = home_source(name).roles()
        if role in roles:
            return tuple(roles[role])
        known += roles
    raise HouseError(
        f"unknown role '{role}' of homes; accepted: {', '.join(known)}, or module:factory of "
        "your own"
    )


def model_size(house: House, model_id: str) -> tuple[int, int, int]:
    """Return a model's extent in x, y, z at rest, millimetres.

    Raises:
        HouseError: the house's source has no such model.
        DatasetError: files of it are missing or damaged.
    """
    return source_of(house.id).model(model_id).size_mm


def _registered() -> list[str]:
    return [name for name in os.environ.get(HOMES_VARIABLE, "").split(",") if name]


@cache
def _made(name: str) -> HomeSource:
    factory = load_object(_BUILT_IN.get(name, name), "home source", HouseError)
    source = call_factory(factory, f"home source '{name}'", HouseError)
    if not isinstance(source, HomeSource):
        raise HouseError(
            f"'{name}' returned an object of type {type(source).__name__}, which is not a home "
            "source; subclass langrearrange.houses.HomeSource"
        )
    return source
