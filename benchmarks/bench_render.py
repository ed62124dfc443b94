"""What a frame costs: by quality, resolution, number of envs, threads, objects and kernel.

    python benchmarks/bench_render.py [--quick] [--gl] [--plot FILE.png]

CPU time of all threads, because machines are shared: best of several rounds over views of real
episodes (every stance of several flats, containers open). `--gl` adds moderngl on whatever EGL
offers (llvmpipe on a machine without a GPU) drawing the same triangles, all of a view baked into
one draw call, in its favour; it needs `pip install moderngl` and, on Debian,
`apt install libegl1 libgl1-mesa-dri`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from timing import best_s, options

from langrearrange.generator import open_split
from langrearrange.sim import Camera, Frame, load_episode
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.sim.embedded.native import levels, use_level
from langrearrange.world.vocabulary import NUM_NAV_TARGETS

ALL_OPEN = 0b11111
STEP_BUDGET_US = 1e6 / 1400
QUALITIES = {"plain": "#56B4E9", "textured": "#0072B2", "supersampled": "#D55E00"}


class Views(NamedTuple):
    """What is drawn in one call: simulators that show something, and their cameras."""

    simulators: list[EmbeddedSimulator]
    cameras: list[Camera]
    rounds: int

    def us(
        self, size: int = 256, threads: int = 1, clock: Callable[[], float] = time.process_time
    ) -> float:
        """Return microseconds per frame, the best round."""
        frames = [Frame(rgb=rgb) for rgb in np.empty((len(self.cameras), size, size, 3), np.uint8)]
        draw = EmbeddedSimulator.render_batch
        seconds = best_s(
            lambda: draw(self.simulators, frames, self.cameras, threads), self.rounds, clock
        )
        return 1e6 * seconds / len(frames)

    def first(self, count: int) -> Views:
        """Return the first so many of them."""
        return Views(self.simulators[:count], self.cameras[:count], self.rounds)


def views(count: int, rounds: int, quality: str = "default", max_objects: int = 64) -> Views:
    """Return views of train episodes, each at another stance of another flat."""
    source = open_split("train_mini")
    found = Views([], [], rounds)
    for index in range(count):
        episode = source.get(index * 37 % len(source))
        simulator = EmbeddedSimulator(quality=quality)
        load_episode(simulator, replace(episode, objects=episode.objects[:max_objects]))
        state = episode.initial_state()
        simulator.show(
            state._replace(
                place=index * 5 % NUM_NAV_TARGETS,
                open_mask=ALL_OPEN,
                receptacles=state.receptacles[:max_objects],
                slots=state.slots[:max_objects],
            )
        )
        found.simulators.append(simulator)
        found.cameras.append(simulator.head_camera())
    return found


def report_quality(count: int, rounds: int) -> float:
    """Print the cost by quality and resolution; return that of plain at 256 px."""
    print("\nCPU-us per frame, all views in one call, one thread")
    sizes = (64, 128, 256, 512)
    print(f"{'quality':14}" + "".join(f"{size:>9} px" for size in sizes))
    at_256 = {}
    for quality in QUALITIES:
        drawn = views(count, rounds, quality)
        costs = {size: drawn.us(size) for size in sizes}
        at_256[quality] = costs[256]
        note = "   (the default)" if quality == "textured" else ""
        print(f"{quality:14}" + "".join(f"{cost:12.0f}" for cost in costs.values()) + note)
    default = at_256["textured"]
    print(
        f"default at 256 px: {1e6 / default:.0f} frames per core-second, {default:.0f} us of the "
        f"{STEP_BUDGET_US:.0f} us that 1,400 steps per core-second leave for a whole step"
    )
    for quality in ("plain", "supersampled"):
        print(f"{quality} costs {at_256[quality] / default:.2f} x the default")
    return at_256["plain"]


def report_batches(most: int, rounds: int) -> None:
    """Print the cost by number of envs and threads."""
    print("\nenvs in one call, 256 px, default quality: CPU-us per frame / wall frames per second")
    print(f"{'envs':>5}{'1 thread':>18}{'2 threads':>18}{'speed-up':>10}")
    everything = views(most, rounds)
    count = 1
    while count <= most:
        drawn = everything.first(count)
        rates = [1e6 / drawn.us(threads=n, clock=time.perf_counter) for n in (1, 2)]
        cells = [f"{drawn.us(threads=n):8.0f} /{rates[n - 1]:8.0f}" for n in (1, 2)]
        print(f"{count:5}{cells[0]:>18}{cells[1]:>18}{rates[1] / rates[0]:10.2f}")
        count *= 4


def report_levels(count: int, rounds: int) -> None:
    """Print the cost by number of objects, and by kernel."""
    print("\nobjects in the flat, 256 px, default quality: CPU-us per frame")
    for objects in (0, 10, 20, 30):
        print(f"{objects:5}{views(count, rounds, max_objects=objects).us():10.0f}")
    print("\nkernels (same bytes), 256 px, default quality: CPU-us per frame, ratio to the best")
    drawn, cost = views(count, rounds), {}
    for level in levels():
        before = use_level(level)
        cost[level] = drawn.us()
        use_level(before)
    for level, value in cost.items():
        print(f"{level:>6}{value:10.0f}{value / min(cost.values()):8.2f}")


def report_moving(rounds: int) -> None:
    """Print what it costs to load a household and to show another state."""
    (simulator,), _, _ = views(1, rounds)
    scene = simulator.scene
    state = scene.state
    assert state is not None
    moves = [state._replace(place=place) for place in range(NUM_NAV_TARGETS)] * 10
    doors = [state._replace(open_mask=mask) for mask in range(16)] * 10

    def load() -> None:
        simulator.load(scene.house, scene.objects, scene.start)
        simulator.show(state)

    nav, door = (
        1e6 / len(states) * best_s(lambda states=states: list(map(simulator.show, states)), rounds)
        for states in (moves, doors)
    )
    print(f"\nCPU-us: show after a nav {nav:.0f}, after a door {door:.0f}, "
          f"load + first show {1e6 * best_s(load, rounds):.0f}")  # fmt: skip


def baked(simulator: EmbeddedSimulator) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return all triangles of a view: (n, 9) float32 of position, normal, colour, and faces."""
    from langrearrange.sim.embedded.library import build_mesh

    scene = simulator.scene
    vertices, faces, offset = [], [], 0
    for key, pose, drawn in zip(scene.keys, scene.poses, scene.drawn, strict=True):
        if drawn:
            mesh, turn = build_mesh(key), pose[:, :3].T
            columns = (mesh.positions @ turn + pose[:, 3], mesh.normals @ turn, mesh.colors)
            vertices.append(np.concatenate(columns, axis=1))
            faces.append(mesh.faces + offset)
            offset += len(mesh.positions)
    return np.concatenate(vertices).astype(np.float32), np.concatenate(faces).astype(np.int32)


VERTEX_SHADER = """#version 330
in vec3 position; in vec3 normal; in vec3 color; out vec3 shade; uniform mat4 view;
void main() {
    float d = dot(normal, vec3(0.36, -0.28, 0.89));
    shade = color / 255.0 * (0.62 + 0.06 * normal.z + 0.36 * (d > 0.0 ? d : 0.25 * d));
    gl_Position = view * vec4(position, 1.0);
}"""
FRAGMENT_SHADER = """#version 330
in vec3 shade; out vec3 pixel;
void main() { pixel = shade; }"""


def report_gl(drawn: Views, ours: float) -> None:
    """Print what the same triangles cost in moderngl."""
    import moderngl

    context = moderngl.create_standalone_context(backend="egl")
    print(
        f"\nmoderngl on {context.info['GL_RENDERER']}, the same triangles, 256 px, vertex colours"
    )
    context.enable(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
    target = context.simple_framebuffer((256, 256), components=3)
    program = context.program(vertex_shader=VERTEX_SHADER, fragment_shader=FRAGMENT_SHADER)
    out = np.empty((256, 256, 3), np.uint8)
    arrays, matrices = [], []
    for simulator, camera in zip(drawn.simulators, drawn.cameras, strict=True):
        vertices, faces = baked(simulator)
        buffers = context.buffer(vertices.tobytes()), context.buffer(faces.tobytes())
        content = [(buffers[0], "3f 3f 3f", "position", "normal", "color")]
        arrays.append(context.vertex_array(program, content, buffers[1]))
        focal = 1 / np.tan(np.radians(camera.hfov_deg) / 2)
        near, far = 0.05, 50.0
        projection = np.diag([focal, focal, -(far + near) / (far - near), 0.0])
        projection[2, 3], projection[3, 2] = -2 * far * near / (far - near), -1
        matrix = projection @ np.concatenate([camera.view, [[0, 0, 0, 1]]])
        matrices.append(np.ascontiguousarray(matrix.T, np.float32).tobytes())

    def draw() -> None:
        for array, matrix in zip(arrays, matrices, strict=True):
            target.use()
            target.clear(0.8, 0.85, 0.88)
            program["view"].write(matrix)
            array.render()
            target.read_into(out, components=3)

    draw()
    theirs = 1e6 / len(arrays) * best_s(draw, drawn.rounds)
    print(f"moderngl {theirs:.0f} us, ours (plain) {ours:.0f} us: {theirs / ours:.1f} x")


def plot(path: str, count: int, rounds: int) -> None:
    """Draw the cost of a frame against resolution, objects and envs; needs matplotlib."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.8), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    sizes, objects, envs = (64, 128, 192, 256, 384, 512), range(0, 31, 5), (1, 2, 4, 8, 16, 32, 64)
    for quality, colour in QUALITIES.items():
        costs = list(map(views(count, rounds, quality).us, sizes))
        left.plot(sizes, costs, "o-", color=colour, label=quality)
    left.set(xlabel="side, pixels", ylabel="CPU microseconds a frame")
    costs = [views(count, rounds, "textured", n).us() for n in objects]
    middle.plot(objects, costs, "o-", color=QUALITIES["textured"])
    middle.set(xlabel="objects in the flat", ylim=(0, None))
    for threads, colour in ((1, "#0072B2"), (2, "#009E73")):
        costs = [views(n, rounds, "textured").us(threads=threads) for n in envs]
        right.plot(envs, costs, "o-", color=colour, label=f"{threads} thread(s)")
    right.set(xlabel="envs in one call", xscale="log", ylim=(0, None))
    for axes in (left, right):
        axes.legend(frameon=False, fontsize=8)
    figure.suptitle(f"n = {count} views of real flats, 256 px textured unless said", fontsize=9)
    figure.savefig(path, dpi=130)


def main() -> None:
    """Measure and print, or with --plot only draw."""
    args = options(__doc__, quick=False, gl=False, plot="")
    count, rounds = (4, 3) if args.quick else (16, 12)
    if args.plot:
        plot(args.plot, 16, rounds // 2)
        return
    plain = report_quality(count, rounds)
    report_batches(16 if args.quick else 64, rounds)
    report_levels(count, rounds)
    report_moving(rounds)
    if args.gl:
        report_gl(views(count, rounds, "plain"), plain)


if __name__ == "__main__":
    main()
