"""Tests of the learned agents; left out where torch is not installed (`make test-train`)."""

from __future__ import annotations

import importlib.util

import pytest

_MISSING = [
    name
    for name in ("torch", "transformers", "safetensors")
    if importlib.util.find_spec(name) is None
]
collect_ignore_glob = ["test_*.py"] if _MISSING else []

if _MISSING:

    def pytest_report_header(config: pytest.Config) -> str:
        return f"tests/baselines are left out: {', '.join(_MISSING)} missing; run make test-train"

else:
    import torch

    torch.set_num_threads(1)
