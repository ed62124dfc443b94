"""Episodes as PDDL files with their plans. Not for the text itself (`solver.pddl`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from langrearrange.dataset import Episode, Selection
from langrearrange.export.exporter import Written, count_episodes
from langrearrange.paths import refuse_existing
from langrearrange.progress import progress
from langrearrange.solver.pddl import Dialect, export, pddl_name, plan_text
from langrearrange.world import skill_index
from langrearrange.world.goals import parse_goal


@dataclass(frozen=True, slots=True, kw_only=True)
class PddlExporter:
    """For planners: `<id>/domain.pddl`, `problem.pddl` and `plan.txt`, one folder per episode.

    `adl` keeps the goal as it is (quantifiers, negation); `strips` compiles it away, so that
    pyperplan and pddlgym read it (docs/pddl.md).

      langrearrange export context --format pddl --dialect strips --out out/pddl
      langrearrange export train/000017 --format pddl --out out/one
    """

    dialect: Dialect = "adl"
    """which PDDL"""

    def write(
        self, selections: Sequence[Selection], out: Path, *, overwrite: bool = False
    ) -> Written:
        """Write one folder per episode under `out`; see `Exporter.write`."""
        total = count_episodes(selections)
        refuse_existing(out, overwrite=overwrite)
        with progress(f"export {self.dialect}", total) as advance:
            for selection in selections:
                for episode in selection:
                    self._write_episode(out / pddl_name(episode.id), episode)
                    advance(1, "")
        return Written((out,), f"{total} episode{'s' * (total != 1)} as {self.dialect} PDDL")

    def _write_episode(self, folder: Path, episode: Episode) -> None:
        layout, initial = episode.layout(), episode.initial_state()
        names = [item.id for item in episode.objects]
        goal = parse_goal(episode.goal)
        pair = export(goal, layout, initial, folder.name, self.dialect, names)
        plan = [skill_index(skill) for skill in episode.plan]
        text = plan_text(plan, goal, layout, initial, self.dialect, names)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in (
            ("domain.pddl", pair.domain), ("problem.pddl", pair.problem), ("plan.txt", text),
        ):  # fmt: skip
            (folder / name).write_text(content)
