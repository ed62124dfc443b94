"""The paper's published success rates, shown in grey: measured in Habitat, not comparable."""

from __future__ import annotations

from typing import Final

COLUMNS: Final = (
    "train_eval", "new_scenes", "instruction_rephrasing", "referring_expressions",
    "spatial_relationships", "context", "irrelevant_text", "multiple_rearrangements",
    "novel_objects", "multiple_objects", "conditional_instructions", "PR", "BG", "Total",
)  # fmt: skip
PAPER_SUCCESS: Final[dict[str, tuple[int, ...]]] = {
    "LLaRP": (99, 96, 92, 26, 8, 34, 32, 47, 95, 0, 39, 38, 45, 42),
    "LLaRP-Scratch": (90, 90, 59, 3, 3, 4, 13, 15, 58, 0, 1, 16, 18, 17),
    "LSTM-Flan": (98, 95, 85, 6, 4, 15, 5, 19, 83, 0, 10, 23, 28, 25),
    "LSTM-LLaMA": (31, 15, 12, 1, 2, 0, 0, 0, 1, 0, 0, 3, 0, 2),
    "ZS-ChatGPT": (57, 52, 58, 24, 0, 10, 11, 24, 61, 2, 5, 21, 23, 22),
    "ZS-LLaMA": (54, 41, 34, 3, 0, 5, 6, 6, 50, 0, 0, 10, 14, 12),
    "ZS-Flamingo": (24, 14, 18, 0, 0, 0, 2, 8, 24, 2, 0, 4, 8, 6),
    "LLaRP-13b": (100, 98, 95, 31, 15, 41, 37, 51, 98, 0, 45, 44, 48, 46),
}
"""Method -> success in percent, in the order of `COLUMNS`. Source: paper Tables 2 and 5."""
EXCHANGED: Final = ("multiple_rearrangements", "multiple_objects")
"""Cells that are probably exchanged, as the released files of these two splits are."""
NOTE: Final = "Habitat, not comparable"
