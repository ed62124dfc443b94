"""A person drives an episode in a window (extra `play`): type a skill, Enter takes it."""

from typing import Any, Final

from langrearrange.cli.drive import find_skills
from langrearrange.dataset import Episode
from langrearrange.env import LangRearrangeEnv, feedback
from langrearrange.errors import MissingExtraError, UsageError
from langrearrange.leaderboard.animation import playing
from langrearrange.world import ACTION_IDS

PANEL_PX: Final = 190
LINE_PX: Final = 22
BACKGROUND: Final = (248, 247, 244)
INK: Final = (29, 36, 48)
FAINT: Final = (128, 132, 140)
GOOD: Final = (0, 122, 90)
BAD: Final = (184, 67, 15)
KEYS: Final = (
    "type a skill (pick apple, go sofa); Enter acts, Tab completes, F2 restarts, Esc leaves"
)


def drive_window(episode: Episode, *, hard: bool, **simulator: Any) -> int:
    """Play an episode in a window; returns 0.

    Raises:
        MissingExtraError: pygame is not installed.
        UsageError: no window can be opened here.
    """
    try:
        import pygame
    except ImportError:
        raise MissingExtraError("a window", "play", "pygame") from None
    options = {"observation": "state", "render_mode": "rgb_array", "image_size": 384}
    with playing(episode, hard=hard, **options, **simulator) as env:
        try:
            pygame.display.init()
            pygame.font.init()
            _Window(pygame, env, episode, hard=hard).loop()
        except pygame.error as error:
            raise UsageError(f"no window can be opened ({error}); use --ui terminal") from None
        finally:
            pygame.quit()
    return 0


class _Window:
    def __init__(self, pygame: Any, env: LangRearrangeEnv, episode: Episode, *, hard: bool) -> None:
        self._pygame = pygame
        self._env = env
        self._episode = episode
        self._hard = hard
        self._typed = ""
        self._total = 0.0
        self._message = ("The episode begins.", FAINT)
        self._restart()
        width, height = self._picture().get_size()
        self._screen = pygame.display.set_mode((width, height + PANEL_PX))
        pygame.display.set_caption(f"langrearrange {episode.id}")
        self._font = pygame.font.Font(None, LINE_PX)

    def loop(self) -> None:
        pygame = self._pygame
        clock = pygame.time.Clock()
        self.draw()
        while True:
            for event in pygame.event.get():
                if event.type == pygame.QUIT:
                    return
                if event.type == pygame.KEYDOWN:
                    if event.key == pygame.K_ESCAPE:
                        return
                    self.key(event)
                    self.draw()
            clock.tick(30)

    def key(self, event: Any) -> None:
        pygame = self._pygame
        if event.key == pygame.K_RETURN:
            self._enter()
        elif event.key == pygame.K_BACKSPACE:
            self._typed = self._typed[:-1]
        elif event.key == pygame.K_TAB:
            found = self._found()
            self._typed = ACTION_IDS[found[0]] if found else self._typed
        elif event.key == pygame.K_F2:
            self._restart()
            self._message = ("The episode begins again.", FAINT)
        elif event.unicode.isprintable():
            self._typed += event.unicode.lower()

    def draw(self) -> None:
        picture = self._picture()
        self._screen.fill(BACKGROUND)
        self._screen.blit(picture, (0, 0))
        task = self._env.task
        y = picture.get_size()[1] + 8
        counter = f"step {task.steps}/{task.rules.horizon}   return {self._total:.2f}"
        self._write(f"{counter}   {self._message[0]}", y, self._message[1])
        self._write(f"> {self._typed}_", y + LINE_PX, INK)
        for row, skill in enumerate(self._found()[:5]):
            self._write(f"   {ACTION_IDS[skill]}", y + LINE_PX * (row + 2), FAINT)
        self._write(KEYS, y + PANEL_PX - LINE_PX - 10, FAINT)
        self._pygame.display.flip()

    def _write(self, text: str, y: int, colour: tuple[int, int, int]) -> None:
        self._screen.blit(self._font.render(text, True, colour), (10, y))

    def _picture(self) -> Any:
        frame: Any = self._env.render()
        return self._pygame.surfarray.make_surface(frame.swapaxes(0, 1))

    def _found(self) -> list[int]:
        return find_skills(self._typed.strip(), hard=self._hard) if self._typed.strip() else []

    def _restart(self) -> None:
        self._env.reset(options={"episode_id": self._episode.id})
        self._typed, self._total = "", 0.0

    def _enter(self) -> None:
        found = self._found()
        if self._env.task.over:
            self._message = ("The episode is over: F2 restarts, Esc leaves.", FAINT)
        elif len(found) != 1:
            self._message = ("Which one? Type more, or Tab." if found else "No such skill.", BAD)
        else:
            self._step(found[0])

    def _step(self, skill: int) -> None:
        _, reward, terminated, truncated, info = self._env.step(skill)
        self._total += float(reward)
        self._typed = ""
        task = self._env.task
        self._message = (feedback(task), BAD if task.outcome.invalid else GOOD)
        if info["success"]:
            self._message = (f"Success; the optimum is {len(self._episode.plan)} steps.", GOOD)
        elif terminated or truncated:
            self._message = ("Not solved. F2 restarts, Esc leaves.", BAD)
