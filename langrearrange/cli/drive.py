"""A person drives an episode in the terminal: sentence, picture, what is in reach, a prompt."""

import contextlib
import sys
from typing import Any, Final

from langrearrange.cli.terminal import picture, supports_colour
from langrearrange.dataset import Episode
from langrearrange.env import LangRearrangeEnv, facts
from langrearrange.env.picture import CAPTION_TOP
from langrearrange.errors import ActionError
from langrearrange.leaderboard.animation import playing
from langrearrange.world import ACTION_IDS, SKILLS, parse_action, valid_mask

HELP: Final = """\
type a skill: its number (16), its id (pick(apple)), or words of it (pick apple, open fridge)
  ?         list the 70 skills      valid     those that would work now (a cheat)
  hint      next step of the optimal plan (a cheat)      undo   take the last skill back
  again     start over                                   quit   leave
"""


def drive_terminal(episode: Episode, *, hard: bool, **simulator: Any) -> int:
    """Play an episode from standard input; returns 0, also when the person leaves early."""
    options = {"observation": "state", "render_mode": "rgb_array"}
    with playing(episode, hard=hard, **options, **simulator) as env:
        actions: list[int] = []
        print(HELP)
        _show(env)
        while True:
            print(f"[{env.task.steps}/{env.task.rules.horizon}] > ", end="", flush=True)
            line = sys.stdin.readline()
            words = line.strip().lower()
            if not line:
                print()  # end of input: the shell's prompt begins on a line of its own
            if not line or words in ("quit", "q", "exit"):
                return 0
            if words:
                _obey(env, episode, words, actions, hard=hard)


def _obey(
    env: LangRearrangeEnv, episode: Episode, words: str, actions: list[int], *, hard: bool
) -> None:
    if words in ("?", "help", "h"):
        print(HELP + _list(hard=hard))
    elif words == "valid":
        mask = valid_mask(env.task.layout, env.task.state)
        print(", ".join(skill.id for skill in SKILLS if mask >> skill.index & 1))
    elif words == "hint":
        print(_hint(episode, actions))
    elif words in ("undo", "again"):
        del actions[-1 if words == "undo" else 0 :]
        env.reset(options={"episode_id": episode.id})
        for action in actions:
            env.step(action)
        _show(env)
    else:
        _act(env, episode, words, actions, hard=hard)


def _act(
    env: LangRearrangeEnv, episode: Episode, words: str, actions: list[int], *, hard: bool
) -> None:
    found = find_skills(words, hard=hard)
    if len(found) != 1:
        names = ", ".join(ACTION_IDS[i] for i in found[:8])
        print(f"which one? {names}" if found else f"no skill matches '{words}'; ? lists them")
        return
    if env.task.over:
        print("the episode is over: undo, again or quit")
        return
    _, reward, terminated, truncated, info = env.step(found[0])
    actions.append(found[0])
    _show(env)
    print(f"Reward {reward:+.2f}.")
    if terminated or truncated:
        verdict = "Success" if info["success"] else "Not solved"
        print(f"{verdict} after {env.task.steps} steps; the optimum is {len(episode.plan)}.")


def find_skills(words: str, *, hard: bool = False) -> list[int]:
    """Return the skills that typed words may mean: by number, id, or beginnings of their words."""
    if words.isdecimal():
        return [int(words)] if int(words) < len(SKILLS) + hard else []
    with contextlib.suppress(ActionError):
        exact = parse_action(words)
        return [exact] if exact < len(SKILLS) + hard else []
    wanted = set(words.replace("(", " ").replace(")", " ").replace("_", " ").split())
    matches = []
    for skill in SKILLS:
        has = {skill.kind, *skill.name.lower().split(), *skill.target.split("_")}
        if all(any(word.startswith(typed) for word in has) for typed in wanted):
            matches.append(skill.index)
    full = [i for i in matches if set(SKILLS[i].target.split("_")) <= wanted]
    return full if len(full) == 1 else matches


def _show(env: LangRearrangeEnv) -> None:
    if supports_colour():
        page = env.render()
        assert not isinstance(page, str | None)
        print(picture(page[:CAPTION_TOP]))  # the caption is too small here and follows as text
    print(f"\n{facts(env.task)}")


def _list(*, hard: bool) -> str:
    rows = [f"{i:3d} {name:30s}" for i, name in enumerate(ACTION_IDS[: len(SKILLS) + hard])]
    return "\n".join("".join(rows[i : i + 3]) for i in range(0, len(rows), 3))


def _hint(episode: Episode, actions: list[int]) -> str:
    done = len(actions)
    if tuple(ACTION_IDS[i] for i in actions) != episode.plan[:done]:
        return "you have left the stored plan; it was: " + ", ".join(episode.plan)
    return episode.plan[done] if done < len(episode.plan) else "the plan is done"
