"""`LangRearrange-v0` and `LangRearrangeHard-v0`: one episode after another as a Gymnasium env.

Not the logic of an episode (`env.task`), nor which comes next (`env.sampling`).
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from langrearrange.dataset.episode import Episode
from langrearrange.env.actions import check_action
from langrearrange.env.base import METADATA, BaseEnv
from langrearrange.env.config import EnvKwargs, env_config
from langrearrange.env.episodes import find_episode
from langrearrange.env.moments import read_saved
from langrearrange.env.observations import action_mask, step_info
from langrearrange.env.observer import Observation
from langrearrange.env.saving import saved_env
from langrearrange.env.task import Progress, Task
from langrearrange.world import WorldState


class LangRearrangeEnv(BaseEnv, gym.Env[Observation, int | np.int64]):
    """Rearrange a flat by language: one instruction, 70 skills, 32 steps.

    Observation:
        A Dict. Every mode has `instruction`, Text of 1-256 printable ASCII characters.

        `observation="rgb"`: `rgb` uint8 (image_size, image_size, 3), the head camera; `joints`
        float32 (7,), arm joints in rad; `holding` int8 (1,); `pose` float32 (3,), x and y in m and
        yaw in [-pi, pi) of the base, relative to its start. `feedback=True` adds `feedback`, Text:
        a sentence about the last action and its outcome.

        `observation="state"`: perfect perception from where the robot stands, int8: `place` (17,)
        one-hot over the nav targets and the start pose; `held` (34,) one-hot over the categories
        and nothing; `visible` (33,) how many of each category are in reach and not in a closed
        container; `openables` (5,) 1 open, -1 closed, 0 unknown from here; `outcome` (9,) one-hot,
        the last outcome.

        `observation="text"`: `text`, the facts of `state` in English, at the start of an episode
        with rules and task (docs/text.md).

        `extras` add `depth` float32 (image_size, image_size, 1) in m, `segmentation` int32
        (image_size, image_size), both with rgb, and `action_mask` int8 (num_actions,). They are
        never ranked: the last two tell what an agent should find out.

    Actions:
        Discrete(70): the skills of `langrearrange.world.SKILLS`. An int, a numpy integer or a 0-d
        integer array; anything else raises ActionError (`langrearrange.world.parse_action` returns
        the number of a skill in words). A skill that is impossible now is a no-op that costs a
        step. The hard variant adds 70, `stop`.

    Reward:
        Paper B.4: +10 on success; +5 on a step that reaches at least one new subgoal, not on the
        step that succeeds; -0.1 for an invalid skill; -0.01 every step. See `RewardConfig`, and
        `Reward` for one of your own.

    Episode end:
        `terminated` on success (also on the last step). `truncated` after `horizon` steps without.
        Hard variant (paper D.3): an invalid skill terminates; success is judged at `stop` only,
        which terminates; running out of steps fails.

    Info keys:
        `episode_id` (with `#k` for variant k), `template`, `outcome` (of the last skill),
        `success`, `steps`, `subgoals_reached`, `num_subgoals`. The same at reset and step.

    Options of reset:
        `episode_id`: play this one; the order of the others does not move.

    Args:
        split: name of the split to play.
        episodes: play these instead: ids, the path of a written data set, an EpisodeSource, or
            Episodes; in the order given. With ids or a path the env's spec survives `to_json`.
        observation: `rgb`, `rgb+feedback`, `state`, `text`, or an `Observer` of your own: as
            `module:factory`, or the factory itself.
        simulator: `embedded`, or `habitat`: the same flats and rules in habitat_sim
            (docs/habitat.md). Also one of your own (docs/add-a-simulator.md): `module:factory`, a
            callable that makes it, or a `sim.Simulator`, which is neither pickled nor stored.
        reward: `paper`, `release`, a `RewardConfig` or its fields, or any function of a
            `Transition`: itself, or as `module:name`. No reward changes how agents are scored.
        horizon: skills an episode may take; part of the saved state.
        image_size: height and width of pictures, pixels.
        camera: `default` (frozen for v0) or `habitat` (90 degrees, fixed tilt).
        sampling: `weighted` draws the template uniformly, `uniform` the episode, `sequential`
            goes in file order. None: `weighted` on training splits, else `sequential`. Splits
            that are evaluated on take nothing else than `sequential`.
        variants: None: fresh variants of train and train_mini, the published episode of the
            others. 0: always the published one; k: always variant k.
        feedback: add a sentence about the last action and its outcome to `rgb`.
        extras: see Observation.
        semantics: `paper` (ranked) or `release`: the official code's rules, for comparison
            (docs/official-episodes.md).
        habitat_python: interpreter of a Habitat environment, for a worker process. None: this
            process if habitat_sim is here, else what LANGREARRANGE_HABITAT_PYTHON names.
        habitat_data: folder of exported flats, of Habitat's data (ReplicaCAD, YCB, Fetch), or
            both. None: flats are exported into the cache when they are first played.
        habitat_gpu: index of the GPU, -1 for software OpenGL. None: GPU 0 where Habitat
            can use it.
        render_mode: `rgb_array` (camera, map and sentence side by side) or `ansi` (text).

    Raises:
        UsageError: an argument that is not accepted, or two that contradict each other.

    Version history:
        v0: first release.
    """

    metadata: ClassVar[dict[str, Any]] = METADATA  # type: ignore[misc]

    def __init__(self, **kwargs: Unpack[EnvKwargs]) -> None:
        self._prepare(env_config(kwargs, hard=self.hard))
        self.render_mode = self.config.render_mode
        self.observation_space = self._observations.space
        self.action_space = spaces.Discrete(self.config.num_actions)
        (self._sampler,) = self._samplers
        self._task: Task | None = None
        self._closed = False

    @property
    def task(self) -> Task:
        """The episode being played, with goal, layout and progress; ResetNeeded before reset."""
        if self._task is None:
            self._no_episode()
        return self._task

    @property
    def episode(self) -> Episode:
        """The episode being played, as stored."""
        return self.task.episode

    @property
    def world(self) -> WorldState:
        """The full state of the world. Privileged: an agent that reads it is not ranked."""
        return self.task.state

    def action_masks(self) -> NDArray[np.bool_]:
        """Return which actions would not be a no-op now, shape (num_actions,), bool.

        MaskablePPO of sb3-contrib calls it. Privileged: the mask tells what is in reach.
        """
        return action_mask(self.task).astype(np.bool_)

    @property
    def habitat_sim(self) -> Any:
        """The `habitat_sim.Simulator` that draws the observations, if it is in this process.

        Raises:
            HabitatError: it is in a worker process, or something else draws, or nothing does.
        """
        return self._observations.habitat_sim

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin the next episode.

        Args:
            seed: restarts the order of episodes; None continues it.
            options: `{"episode_id": ...}` plays that episode; the order of the others stays.

        Raises:
            UsageError, DatasetError: an unknown option or episode.
        """
        self._refuse_closed()
        episode_id = self._check_options(options, "episode_id").get("episode_id")
        seed = self._checked_seed(seed)
        super().reset(seed=seed)
        if seed is not None or not self._order_begun:
            seed = self.np_random_seed
            self._sampler.seed(seed if seed >= 0 else int(self.np_random.integers(2**63)))
            self._order_begun = True
        if episode_id is not None:
            self._begin(find_episode(self._source, episode_id))
        else:
            draw = self._sampler.next()
            assert draw is not None
            self._begin(self._source.get(*draw))
        return self._observations.observe(0, self.task), step_info(self.task)

    def step(self, action: int | np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Take a skill.

        Raises:
            ActionError: the action is not in the space.
            ResetNeeded: the episode is over, or none has begun.
        """
        task = self._task
        if task is None:
            self._no_episode()
        reward = task.step(check_action(action, self._rules.num_actions))
        observation = self._observations.observe(0, task)
        return observation, reward, task.terminated, task.truncated, step_info(task)

    def save_state(self) -> dict[str, Any]:
        """Return this moment, JSON-able: episode, progress, rules and the order of episodes."""
        return saved_env(self.config, self.task, self._sampler)

    def restore_state(self, saved: dict[str, Any]) -> tuple[Observation, dict[str, Any]]:
        """Go to a saved moment, of this env or of another with the same arguments.

        Through the wrappers of `gym.make`, call `reset` once before: they refuse a first `step`
        without it, whatever the env inside them knows.

        Returns:
            Observation and info of that moment.

        Raises:
            UsageError: it was saved under other rules or by a newer release, or no play of its
                episode leads there.
        """
        self._refuse_closed()
        self._go_to(*read_saved(saved, self.config, self._source, self._sampler))
        return self._observations.observe(0, self.task), step_info(self.task)

    def render(self) -> NDArray[np.uint8] | str | None:
        """Return a picture (height, width, 3) uint8, or the text, as `render_mode` says."""
        if self.render_mode is not None:
            return self._draw(self.task)  # type: ignore[no-any-return]
        gym.logger.warn(
            "render() without a render_mode draws nothing; pass render_mode='rgb_array' or 'ansi' "
            "to gym.make"
        )
        return None

    def close(self) -> None:
        """Free the simulators; harmless when called twice. The env cannot be used again."""
        self._free()
        self._task = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what pickle and deepcopy keep: arguments, seeds and this moment, no renderer."""
        return {
            "config": self.config,
            "spec": self._spec,
            "action_space": self.action_space,
            "random": (self._np_random, self._np_random_seed),
            "moment": self._task
            and (self._task.episode.id, self._task.progress, self._sampler.saved()),
        }

    def __setstate__(self, kept: dict[str, Any]) -> None:
        self.__init__(**{name: getattr(kept["config"], name) for name in EnvKwargs.__annotations__})  # type: ignore[misc]
        self._spec = kept["spec"]
        self.action_space = kept["action_space"]
        self._np_random, self._np_random_seed = kept["random"]
        if kept["moment"] is not None:
            episode_id, progress, order = kept["moment"]
            self._go_to(find_episode(self._source, episode_id), progress, order)

    def _go_to(self, episode: Episode, progress: Progress, order: Mapping[str, Any]) -> None:
        if self._task is None or self._task.episode.id != episode.id:
            self._begin(episode)
        self.task.restore(progress)
        self._sampler.restore(order)
        self._order_begun = True

    def _begin(self, episode: Episode) -> None:
        self._task = self._task_of(0, episode)


class LangRearrangeHardEnv(LangRearrangeEnv):
    """The hard variant (paper D.3): see `LangRearrangeEnv`; action 70 is `stop`."""

    hard = True
