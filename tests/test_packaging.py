"""What is installed is what is in the tree, and importing it stays light."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

import langrearrange

ROOT = Path(__file__).resolve().parent.parent


def test_the_package_list_names_every_room() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    mapped = {"templates": "langrearrange_templates", "datasets": "langrearrange_datasets"}
    mapped |= {"baselines": "langrearrange_baselines", "docs": "langrearrange_docs"}
    found = {"langrearrange_datasets"}  # without __init__.py, see below
    for top in ("langrearrange", *mapped):
        for init in (ROOT / top).rglob("__init__.py"):
            parts = list(init.parent.relative_to(ROOT).parts)
            found.add(".".join([mapped.get(parts[0], parts[0]), *parts[1:]]))
    assert listed == found


def test_the_checkout_does_not_hide_a_library_of_the_same_name(tmp_path: Path) -> None:
    """A folder without __init__.py gives way to Hugging Face's `datasets`, wherever that is."""
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "__init__.py").write_text("whose = 'Hugging Face'\n")
    code = (
        f"import sys; sys.path.append({str(tmp_path)!r}); import datasets; print(datasets.whose);"
        "from langrearrange.paths import datasets_path as p; print(p() / 'context', p().is_dir())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split("\n")[:2] == ["Hugging Face", f"{ROOT / 'datasets' / 'context'} True"]


def test_the_version_is_written_the_same_everywhere() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert config["metadata"]["version"] == langrearrange.__version__
    assert f"version: {langrearrange.__version__}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {langrearrange.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("torch", "transformers", "yaml", "matplotlib", "habitat_sim", "PIL", "rich")
    code = f"import sys, langrearrange;print(*(name for name in {heavy!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    assert done.stdout.strip() == ""
