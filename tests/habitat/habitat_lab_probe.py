"""Runs in a Habitat environment: loads our data sets with habitat-lab and says what it saw.

Python 3.9 syntax; nothing of our package. One JSON request on stdin, one JSON answer as last line.
"""

import json
import os
import sys
import tempfile
from typing import Any

PBR = {"enable_ibl": False, "ibl_envmap_filename": "none.hdr"}


def open_simulator(habitat_sim: Any, config: str, scene: str) -> Any:
    settings = habitat_sim.SimulatorConfiguration()
    settings.scene_dataset_config_file = config
    settings.scene_id = scene
    settings.enable_physics = True
    settings.gpu_device_id = -1
    return habitat_sim.Simulator(
        habitat_sim.Configuration(settings, [habitat_sim.agent.AgentConfiguration()])
    )


def load_episodes(request: dict[str, Any]) -> Any:
    from habitat.datasets.rearrange.rearrange_dataset import RearrangeDatasetV0
    from omegaconf import OmegaConf

    config = OmegaConf.create(
        {
            "data_path": request["data_path"],
            "split": request["split"],
            "scenes_dir": request["scenes_dir"],
            "content_scenes": ["*"],
        }
    )
    return RearrangeDatasetV0(config).episodes


def rows(matrix: Any) -> list[list[float]]:
    return [[float(matrix[j][i]) for j in range(4)] for i in range(4)]


def add_things(sim: Any, episode: Any, magnum: Any) -> dict[str, Any]:
    """Add things as habitat-lab's RearrangeSim does: sorted, found by a part of their handle."""
    from habitat.sims.habitat_simulator.sim_utilities import object_shortname_from_handle

    templates = sim.get_object_template_manager()
    manager = sim.get_rigid_object_manager()
    found = {}
    for handle, transform in sorted(episode.rigid_objs, key=lambda entry: entry[0]):
        names = templates.get_template_handles(handle)
        short = object_shortname_from_handle(handle)
        (path,) = [n for n in names if object_shortname_from_handle(n) == short]
        thing = manager.add_object_by_template_handle(path)
        thing.transformation = magnum.Matrix4(
            [[transform[j][i] for j in range(4)] for i in range(4)]
        )
        box = thing.aabb if hasattr(thing, "aabb") else thing.root_scene_node.cumulative_bb
        found[thing.handle] = {
            "place": [float(v) for v in thing.translation],
            "bottom": float(box.min[1]),
        }
    return found


def set_joints(sim: Any, episode: Any) -> None:
    manager = sim.get_articulated_object_manager()
    for handle, states in episode.ao_states.items():
        piece = manager.get_object_by_handle(handle)
        joints = piece.joint_positions
        for link, value in states.items():
            joints[piece.get_link_joint_pos_offset(int(link))] = value
        piece.joint_positions = joints


def find_boxes(sim: Any) -> dict[str, Any]:
    from habitat.datasets.rearrange.samplers.receptacle import find_receptacles

    found = {}
    for receptacle in find_receptacles(sim):
        found[receptacle.unique_name] = {
            "frame": rows(receptacle.get_global_transform(sim)),
            "middle": [float(v) for v in receptacle.bounds.center()],
            "half": [float(v) / 2 for v in receptacle.bounds.size()],
            "link": receptacle.parent_link,
        }
    return found


def look_at_scene(habitat_sim: Any, magnum: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Open a scene of ReplicaCAD's form and put things into it."""
    import numpy as np

    sim = open_simulator(habitat_sim, wanted["config"], wanted["scene"])
    try:
        found: dict[str, Any] = {"receptacles": find_boxes(sim), "things": []}
        pieces = sim.get_articulated_object_manager()
        for handle, joints in wanted["joints"].items():
            piece = pieces.get_object_by_handle(handle)
            positions = piece.joint_positions
            for link in range(piece.num_links):
                name = piece.get_link_joint_name(link)
                if name in joints:
                    positions[piece.get_link_joint_pos_offset(link)] = joints[name]
            piece.joint_positions = positions
        found["opened"] = find_boxes(sim)
        sim.get_object_template_manager().load_configs(wanted["objects"])
        for thing in wanted["things"]:
            added = sim.get_rigid_object_manager().add_object_by_template_handle(thing["config"])
            added.transformation = magnum.Matrix4(np.array(thing["transform"]).T.tolist())
            box = added.root_scene_node.cumulative_bb
            found["things"].append(
                {
                    "handle": added.handle,
                    "transform": rows(added.transformation),
                    "box": [[float(v) for v in corner] for corner in (box.min, box.max)],
                }
            )
        return found
    finally:
        sim.close()


def look_at_episode(
    habitat_sim: Any, magnum: Any, request: dict[str, Any], episode: Any
) -> dict[str, Any]:
    sim = open_simulator(habitat_sim, episode.scene_dataset_config, episode.scene_id)
    try:
        receptacles = find_boxes(sim)
        set_joints(sim, episode)
        opened = {name: box["frame"] for name, box in find_boxes(sim).items()}
        pieces = sim.get_articulated_object_manager()
        links = {
            handle: [
                pieces.get_object_by_handle(handle).get_link_name(i)
                for i in range(pieces.get_object_by_handle(handle).num_links)
            ]
            for handle in pieces.get_object_handles()
        }
        return {
            "scene": episode.scene_id,
            "receptacles": receptacles,
            "opened": opened,
            "links": links,
            "things": add_things(sim, episode, magnum),
            "navmesh": navmesh(habitat_sim, sim, request),
        }
    finally:
        sim.close()


def touch_scene(habitat_sim: Any, magnum: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Open everything in an exported flat, cast rays, drop and snap a thing on each surface."""
    from habitat.sims.habitat_simulator.sim_utilities import get_all_object_ids, snap_down

    sim = open_simulator(habitat_sim, wanted["config"], wanted["touch"])
    try:
        pieces = sim.get_articulated_object_manager()
        for handle in pieces.get_object_handles():
            piece = pieces.get_object_by_handle(handle)
            piece.joint_positions = piece.joint_position_limits[1]
        sim.perform_discrete_collision_detection()
        distances = []
        for origin, direction in wanted["rays"]:
            ray = habitat_sim.geo.Ray(magnum.Vector3(origin), magnum.Vector3(direction))
            hits = sim.cast_ray(ray).hits
            distances.append(hits[0].ray_distance if hits else 0.0)
        supports = list(get_all_object_ids(sim))
        template = sim.get_object_template_manager().get_template_handles(wanted["thing"])[0]
        manager = sim.get_rigid_object_manager()
        landed: dict[str, Any] = {}
        for name, box in find_boxes(sim).items():
            middle, half = box["middle"], box["half"]
            # Beside the middle, where the sofa's cushions meet.
            floor = [middle[0] + half[0] / 2, middle[1] - half[1], middle[2]]
            frame = magnum.Matrix4([[row[j] for row in box["frame"]] for j in range(4)])
            landed[name] = {}
            for how in ("dropped", "snapped"):
                thing = manager.add_object_by_template_handle(template)
                start = frame.transform_point(magnum.Vector3(floor)) + magnum.Vector3(0, 0.06, 0)
                thing.translation = start
                done = how == "dropped" or snap_down(sim, thing, supports)
                if how == "dropped":
                    sim.step_physics(2.0)
                place = frame.inverted().transform_point(thing.translation)
                landed[name][how] = [done, *(float(place[i] - floor[i]) for i in range(3))]
                manager.remove_object_by_id(thing.object_id)
        return {"distances": distances, "landed": landed}
    finally:
        sim.close()


def navmesh(habitat_sim: Any, sim: Any, request: dict[str, Any]) -> dict[str, Any]:
    settings = habitat_sim.NavMeshSettings()
    settings.set_defaults()
    settings.agent_radius = 0.3
    settings.include_static_objects = True
    sim.recompute_navmesh(sim.pathfinder, settings)
    path = os.path.join(request["out"], "recomputed.navmesh")
    sim.pathfinder.save_nav_mesh(path)
    finder = sim.pathfinder
    best = max(range(finder.num_islands), key=finder.island_area)
    import numpy as np

    snapped = {
        name: [float(v) for v in finder.snap_point(np.array(point, np.float32), best)]
        for name, point in request["points"].items()
    }
    return {"path": path, "snapped": snapped}


def main() -> None:
    os.environ.setdefault("MAGNUM_LOG", "quiet")
    os.environ.setdefault("HABITAT_SIM_LOG", "quiet")
    request = json.loads(sys.stdin.read())
    here = tempfile.mkdtemp()
    os.chdir(here)  # data/default.pbr_config.json spares 17 s of filtering an environment map
    os.mkdir("data")
    with open("data/default.pbr_config.json", "w") as file:
        json.dump(PBR, file)
    import habitat_sim
    import magnum

    if "touch" in request:
        sys.stdout.write("\n" + json.dumps(touch_scene(habitat_sim, magnum, request)) + "\n")
        return
    if "scene" in request:
        answer = look_at_scene(habitat_sim, magnum, request)
        sys.stdout.write("\n" + json.dumps(answer) + "\n")
        return
    episodes = load_episodes(request)
    looked = [
        look_at_episode(habitat_sim, magnum, request, episodes[i]) for i in request["look_at"]
    ]
    answer = {
        "num_episodes": len(episodes),
        "instructions": [e.info["langrearrange"]["instruction"] for e in episodes],
        "looked": looked,
    }
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
