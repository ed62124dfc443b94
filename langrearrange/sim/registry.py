"""Simulators by name, as `module:factory`, as a factory or as an object. None is imported early."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from langrearrange.errors import UsageError, did_you_mean
from langrearrange.loading import call_factory, load_object, takes
from langrearrange.sim.protocol import Simulator, missing_members

SIMULATORS: Final = {
    "embedded": "langrearrange.sim.embedded:EmbeddedSimulator",
    "habitat": "langrearrange.habitat:HabitatSimulator",
}
"""Name -> `module:factory`; add your own here, or pass it as `simulator="module:factory"`."""

SimulatorChoice = str | Callable[..., Simulator] | Simulator
"""A name, `module:factory`, a factory, or a simulator that lives in this process only."""


def is_live(choice: object) -> bool:
    """Return whether a choice is a simulator itself rather than a way to make one."""
    return not missing_members(choice)


def refuse_live(name: str, value: object) -> None:
    """Raise UsageError for a simulator itself where only a way to make one can be kept."""
    if is_live(value):
        raise UsageError(
            f"{name}={value!r} lives in this process only, it can be neither pickled nor stored; "
            "pass its class, a function of a module, or 'module:factory'"
        )


def check_choice(choice: object, options: Mapping[str, Any]) -> None:
    """Check that a choice is a simulator or makes one, and that it takes the options.

    Args:
        choice: see `SimulatorChoice`.
        options: those that were given, by the name of the factory's parameter.

    Raises:
        UsageError: unknown name, not a simulator, or an option that it does not take.
    """
    names = ", ".join(map(repr, SIMULATORS))
    if isinstance(choice, str):
        if choice not in SIMULATORS and ":" not in choice:
            hint = did_you_mean(choice, SIMULATORS)
            raise UsageError(f"simulator={choice!r}; accepted: {names}, 'module:factory'{hint}")
    elif not callable(choice) and not is_live(choice):
        missing = ", ".join(missing_members(choice))
        raise UsageError(
            f"simulator={choice!r} is not a name ({names}, 'module:factory'), not callable and "
            f"not a simulator: it lacks {missing} of langrearrange.sim.Simulator"
        )
    for name, value in options.items():
        if is_live(choice) or not takes(_factory(choice), name):
            raise UsageError(
                f"{name}={value!r} is not taken by simulator={choice!r}; leave it out, or use a "
                "simulator that takes it, such as 'habitat'"
            )


def make_simulator(choice: SimulatorChoice, options: Mapping[str, Any]) -> Simulator:
    """Return a new simulator, or the one that was given.

    Args:
        choice: see `SimulatorChoice`.
        options: keyword arguments; a factory gets those that are among its parameters.

    Raises:
        UsageError: the factory cannot be imported or called, or returns something else.
        LangRearrangeError: the factory's own, such as HabitatError.
    """
    if not isinstance(choice, str) and is_live(choice):
        return choice  # type: ignore[return-value]
    what = f"simulator {choice!r}"
    made = call_factory(_factory(choice), what, UsageError, **options)
    missing = missing_members(made)
    if missing:
        raise UsageError(
            f"{what} returned an object of type {type(made).__name__}, which lacks "
            f"{', '.join(missing)} of langrearrange.sim.Simulator; subclass it, or define all its "
            "members"
        )
    return made  # type: ignore[no-any-return]


def _factory(choice: Any) -> Callable[..., Any]:
    if isinstance(choice, str):
        return load_object(SIMULATORS.get(choice, choice), "simulator")  # type: ignore[no-any-return]
    return choice  # type: ignore[no-any-return]
