"""`import langrearrange` registers the envs and loads nothing else."""

from __future__ import annotations

import subprocess
import sys

import gymnasium as gym

HEAVY = ("torch", "transformers", "yaml", "matplotlib", "habitat_sim", "msgspec", "PIL", "rich")


def loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_package_adds_itself_and_nothing_else_to_gymnasium() -> None:
    extra = loaded_by("import gymnasium, langrearrange") - loaded_by("import gymnasium")
    assert {name for name in extra if not name.startswith("__editable__")} == {"langrearrange"}


def test_the_env_room_loads_no_renderer_and_no_heavy_module() -> None:
    loaded = loaded_by("import langrearrange.env")
    assert not loaded & (set(HEAVY) - {"msgspec"})
    assert "_langrearrange_raster" not in loaded


def test_entry_points_are_strings_so_that_specs_stay_json() -> None:
    for env_id in ("LangRearrange-v0", "LangRearrangeHard-v0"):
        spec = gym.registry[env_id]
        assert isinstance(spec.entry_point, str)
        assert isinstance(spec.vector_entry_point, str)
        assert spec.max_episode_steps is None
