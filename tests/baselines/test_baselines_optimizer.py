"""Master weights: steps too small for bfloat16 add up, and are saved."""

from __future__ import annotations

from pathlib import Path

import torch
from langrearrange_baselines.engine.checkpoint import (
    find_checkpoint,
    load_optimizer,
    optimizer_tensors,
    read_tensors,
)
from langrearrange_baselines.engine.optimizer import MasterAdamW, make_adamw, sync_masters
from test_baselines_ppo import make_trainer, toy_trainer
from torch import Tensor, nn


def descend(parameter: nn.Parameter, optimizer: torch.optim.Optimizer, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        parameter.grad = torch.ones_like(parameter)
        optimizer.step()


def test_steps_below_the_precision_of_bfloat16_add_up() -> None:
    weight = nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
    descend(weight, torch.optim.AdamW([weight], lr=1e-4, weight_decay=0.0), 100)
    assert (weight == 1).all()  # why master weights are needed
    optimizer = make_adamw([{"params": [weight], "weight_decay": 0.0}], 1e-4, 1e-8)
    descend(weight, optimizer, 100)
    assert torch.equal(weight, torch.full((3,), 0.99).bfloat16())


def test_it_is_adamw_on_the_masters() -> None:
    torch.manual_seed(0)
    low = nn.Parameter(torch.randn(4, 4).bfloat16())
    high = nn.Parameter(low.detach().float().clone())
    both = MasterAdamW([{"params": [low], "weight_decay": 0.1}], 1e-2, 1e-5)
    plain = torch.optim.AdamW([high], lr=1e-2, weight_decay=0.1, eps=1e-5)
    for _ in range(10):
        gradient = torch.randn(4, 4).bfloat16()
        low.grad, high.grad = gradient, gradient.float()
        both.step()
        plain.step()
        assert torch.equal(low, high.bfloat16())


def test_float32_weights_take_plain_adamw() -> None:
    weight = nn.Parameter(torch.ones(2))
    assert type(make_adamw([{"params": [weight]}], 1e-3, 1e-5)) is torch.optim.AdamW


def test_masters_are_saved_and_follow_weights_set_from_outside() -> None:
    def fresh() -> tuple[nn.Parameter, MasterAdamW]:
        weight = nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
        return weight, MasterAdamW([{"params": [weight]}], 1e-4, 1e-8)

    weight, optimizer = fresh()
    descend(weight, optimizer, 30)
    stored: dict[str, Tensor] = {k: v.clone() for k, v in optimizer_tensors(optimizer).items()}
    descend(weight, optimizer, 30)
    again, other = fresh()
    load_optimizer(other, stored)
    descend(again, other, 30)
    assert torch.equal(weight, again)
    with torch.no_grad():
        weight.fill_(2.0)
    sync_masters(optimizer)
    descend(weight, optimizer, 1)
    assert (weight == 2).all()


def test_fine_tuning_in_bfloat16_keeps_masters_and_resumes(tmp_path: Path) -> None:
    changes = {"train_backbone": "all", "backbone_dtype": "bfloat16", "ratio_tolerance": 0.5}
    whole = toy_trainer(tmp_path / "whole", **changes)
    whole.run()
    first = toy_trainer(tmp_path / "parts", **changes)
    first.run(until=2)
    moments = read_tensors(find_checkpoint(tmp_path / "parts") / "optimizer.safetensors")
    masters = [value for name, value in moments.items() if name.endswith(".master")]
    assert masters
    assert all(value.dtype == torch.float32 for value in masters)
    second = make_trainer(first.config)
    second.resume(find_checkpoint(tmp_path / "parts"))
    second.run()
    pairs = zip(whole.policy.trained(), second.policy.trained(), strict=True)
    assert all(torch.equal(ours, theirs) for (_, ours), (_, theirs) in pairs)
