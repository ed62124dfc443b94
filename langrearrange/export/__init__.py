"""Episodes for other libraries: parquet, Minari, PDDL, Habitat, chats; not reading them back."""

from langrearrange.export.exporter import (
    FORMATS,
    Exporter,
    Written,
    count_episodes,
    exporter_type,
)
from langrearrange.paths import refuse_existing

__all__ = [
    "FORMATS",
    "Exporter",
    "Written",
    "count_episodes",
    "exporter_type",
    "refuse_existing",
]
