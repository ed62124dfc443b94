"""What a frame costs: by quality, resolution, number of envs, threads, objects and kernel.

    python benchmarks/bench_render.py [--quick] [--gl] [--plot FILE.png]

CPU time of all threads, because machines are shared: best of several windows over views of real
episodes (every stance of several flats, containers open). `--gl` adds moderngl on whatever EGL
offers (llvmpipe on a machine without a GPU) drawing the same triangles, all of a view baked into
one draw call, in its favour; it needs `pip install moderngl` and, on Debian,
`apt install libegl1 libgl1-mesa-dri`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset import Episode
from langrearrange.generator import open_split
from langrearrange.houses import Pose2D, get_house
from langrearrange.sim import Camera, Frame
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.sim.embedded.native import levels, use_level
from langrearrange.world.vocabulary import NUM_NAV_TARGETS

ALL_OPEN = 0b11111
STEP_BUDGET_US = 1e6 / 1400


class Shot(NamedTuple):
    simulator: EmbeddedSimulator
    camera: Camera


def shots(count: int, quality: str, max_objects: int = 64) -> list[Shot]:
    """Return views of train episodes, each at another stance of another flat."""
    source = open_split("train_mini")
    result = []
    for index in range(count):
        episode: Episode = source.get(index * 37 % len(source))
        simulator = EmbeddedSimulator(quality=quality)
        start = Pose2D(episode.start.x, episode.start.y, episode.start.yaw)
        objects = episode.objects[:max_objects]
        simulator.load(get_house(episode.house), objects, start)
        state = episode.initial_state()
        simulator.show(
            state._replace(
                place=index * 5 % NUM_NAV_TARGETS,
                open_mask=ALL_OPEN,
                receptacles=state.receptacles[:max_objects],
                slots=state.slots[:max_objects],
            )
        )
        result.append(Shot(simulator, simulator.head_camera()))
    return result


def cpu_us(work: Callable[[], object], frames: int, windows: int) -> float:
    """Return CPU microseconds per frame, the best window."""
    best = float("inf")
    for _ in range(windows):
        begin = time.process_time()
        work()
        best = min(best, (time.process_time() - begin) / frames * 1e6)
    return best


def frames(count: int, size: int) -> list[Frame]:
    return [Frame(rgb=rgb) for rgb in np.empty((count, size, size, 3), np.uint8)]


def batch_us(views: Sequence[Shot], size: int, windows: int, threads: int = 1) -> float:
    simulators = [view.simulator for view in views]
    cameras = [view.camera for view in views]
    draw, out = EmbeddedSimulator.render_batch, frames(len(views), size)
    return cpu_us(lambda: draw(simulators, out, cameras, threads), len(views), windows)


def wall_fps(views: Sequence[Shot], size: int, windows: int, threads: int) -> float:
    simulators = [view.simulator for view in views]
    out = frames(len(views), size)
    best = 0.0
    for _ in range(windows):
        begin = time.perf_counter()
        EmbeddedSimulator.render_batch(simulators, out, threads=threads)
        best = max(best, len(views) / (time.perf_counter() - begin))
    return best


def report_quality(count: int, windows: int) -> float:
    print("\nCPU-us per frame, all views in one call, one thread")
    sizes = (64, 128, 256, 512)
    print(f"{'quality':14}" + "".join(f"{size:>9} px" for size in sizes))
    cost: dict[tuple[str, int], float] = {}
    for quality in ("plain", "textured", "supersampled"):
        views = shots(count, quality)
        for size in sizes:
            cost[quality, size] = batch_us(views, size, windows)
        row = "".join(f"{cost[quality, size]:12.0f}" for size in sizes)
        note = "   (the default)" if quality == "textured" else ""
        print(f"{quality:14}{row}{note}")
    default = cost["textured", 256]
    print(
        f"default at 256 px: {1e6 / default:.0f} frames per core-second, {default:.0f} us of the "
        f"{STEP_BUDGET_US:.0f} us that 1,400 steps per core-second leave for a whole step"
    )
    for quality in ("plain", "supersampled"):
        print(f"{quality} costs {cost[quality, 256] / default:.2f} x the default")
    return cost["plain", 256]


def report_batches(windows: int, most: int) -> None:
    print("\nenvs in one call, 256 px, default quality: CPU-us per frame / wall frames per second")
    print(f"{'envs':>5}{'1 thread':>18}{'2 threads':>18}{'speed-up':>10}")
    views = shots(most, "default")
    count = 1
    while count <= most:
        cells, rates = [], []
        for threads in (1, 2):
            rates.append(wall_fps(views[:count], 256, windows, threads))
            cells.append(f"{batch_us(views[:count], 256, windows, threads):8.0f} /{rates[-1]:8.0f}")
        print(f"{count:5}{cells[0]:>18}{cells[1]:>18}{rates[1] / rates[0]:10.2f}")
        count *= 4


def report_objects(count: int, windows: int) -> None:
    print("\nobjects in the flat, 256 px, default quality: CPU-us per frame")
    for objects in (0, 10, 20, 30):
        print(f"{objects:5}{batch_us(shots(count, 'default', objects), 256, windows):10.0f}")


def report_levels(count: int, windows: int) -> None:
    print("\nkernels (same bytes), 256 px, default quality: CPU-us per frame, ratio to the best")
    views = shots(count, "default")
    cost = {}
    for level in levels():
        before = use_level(level)
        cost[level] = batch_us(views, 256, windows)
        use_level(before)
    for level, value in cost.items():
        print(f"{level:>6}{value:10.0f}{value / min(cost.values()):8.2f}")


def report_moving(windows: int) -> None:
    (simulator, _), = shots(1, "default")  # fmt: skip
    scene = simulator.scene
    state = scene.state
    assert state is not None
    moves = [state._replace(place=place) for place in range(NUM_NAV_TARGETS)]
    doors = [state._replace(open_mask=mask) for mask in range(16)]

    def load() -> None:
        simulator.load(scene.house, scene.objects, scene.start)
        simulator.show(state)

    nav = cpu_us(lambda: [simulator.show(s) for s in moves * 10], 160, windows)
    door = cpu_us(lambda: [simulator.show(s) for s in doors * 10], 160, windows)
    print(f"\nCPU-us: show after a nav {nav:.0f}, after a door {door:.0f}, "
          f"load + first show {cpu_us(load, 1, windows):.0f}")  # fmt: skip


def baked(view: Shot) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return all triangles of a view: (n, 9) float32 of position, normal, colour, and faces."""
    from langrearrange.sim.embedded.library import build_mesh

    scene = view.simulator.scene
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


def report_gl(views: Sequence[Shot], ours: float, windows: int) -> None:
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
    for view in views:
        vertices, faces = baked(view)
        buffers = context.buffer(vertices.tobytes()), context.buffer(faces.tobytes())
        content = [(buffers[0], "3f 3f 3f", "position", "normal", "color")]
        arrays.append(context.vertex_array(program, content, buffers[1]))
        focal = 1 / np.tan(np.radians(view.camera.hfov_deg) / 2)
        near, far = 0.05, 50.0
        projection = np.diag([focal, focal, -(far + near) / (far - near), 0.0])
        projection[2, 3], projection[3, 2] = -2 * far * near / (far - near), -1
        matrix = projection @ np.concatenate([view.camera.view, [[0, 0, 0, 1]]])
        matrices.append(np.ascontiguousarray(matrix.T, np.float32).tobytes())

    def draw() -> None:
        for array, matrix in zip(arrays, matrices, strict=True):
            target.use()
            target.clear(0.8, 0.85, 0.88)
            program["view"].write(matrix)
            array.render()
            target.read_into(out, components=3)

    draw()
    theirs = cpu_us(draw, len(views), windows)
    print(f"moderngl {theirs:.0f} us, ours (plain) {ours:.0f} us: {theirs / ours:.1f} x")


def plot(path: str, count: int, windows: int) -> None:
    """Draw the cost of a frame against resolution, objects and envs; needs matplotlib."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.8), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    sizes = (64, 128, 192, 256, 384, 512)
    for quality, colour in (
        ("plain", "#56B4E9"),
        ("textured", "#0072B2"),
        ("supersampled", "#D55E00"),
    ):
        views = shots(count, quality)
        left.plot(
            sizes, [batch_us(views, s, windows) for s in sizes], "o-", color=colour, label=quality
        )
    left.set(xlabel="side, pixels", ylabel="CPU microseconds a frame")
    left.legend(frameon=False, fontsize=8)
    objects = (0, 5, 10, 15, 20, 25, 30)
    costs = [batch_us(shots(count, "textured", n), 256, windows) for n in objects]
    middle.plot(objects, costs, "o-", color="#0072B2")
    middle.set(xlabel="objects in the flat", ylim=(0, None))
    envs = (1, 2, 4, 8, 16, 32, 64)
    for threads, colour in ((1, "#0072B2"), (2, "#009E73")):
        costs = [batch_us(shots(n, "textured"), 256, windows, threads) for n in envs]
        right.plot(envs, costs, "o-", color=colour, label=f"{threads} thread(s)")
    right.set(xlabel="envs in one call", xscale="log", ylim=(0, None))
    right.legend(frameon=False, fontsize=8)
    figure.suptitle(f"n = {count} views of real flats, 256 px textured unless said", fontsize=9)
    figure.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer views and windows")
    parser.add_argument("--gl", action="store_true", help="compare with moderngl (see above)")
    parser.add_argument("--plot", metavar="FILE", help="only draw the cost of a frame")
    options = parser.parse_args()
    if options.plot:
        plot(options.plot, 16, 3 if options.quick else 6)
        return
    count, windows = (4, 3) if options.quick else (16, 12)
    plain = report_quality(count, windows)
    report_batches(windows, 16 if options.quick else 64)
    report_objects(count, windows)
    report_levels(count, windows)
    report_moving(windows)
    if options.gl:
        report_gl(shots(count, "plain"), plain, windows)


if __name__ == "__main__":
    main()
