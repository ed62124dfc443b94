"""Cutting flat polygons, with holes, into triangles; not for anything in three dimensions."""

from collections.abc import Sequence

from langrearrange.errors import HouseError

Point2 = tuple[float, float]


def signed_area(outline: Sequence[Point2]) -> float:
    """Return the area inside, square units; negative when the outline runs clockwise."""
    total = 0.0
    for (x0, y0), (x1, y1) in zip(outline, [*outline[1:], outline[0]], strict=True):
        total += x0 * y1 - x1 * y0
    return total / 2


def counter_clockwise(outline: Sequence[Point2]) -> list[Point2]:
    """Return the outline in counter-clockwise order."""
    return list(outline) if signed_area(outline) > 0 else list(reversed(outline))


def triangulate(
    outline: Sequence[Point2], holes: Sequence[Sequence[Point2]] = ()
) -> list[tuple[int, int, int]]:
    """Cut a simple polygon into counter-clockwise triangles by ears.

    Args:
        outline: counter-clockwise points, none repeated.
        holes: each clockwise, inside the outline, apart from each other.

    Returns:
        Index triples into `[*outline, *holes[0], *holes[1], ...]`.

    Raises:
        HouseError: the outline crosses itself.
    """
    points = list(outline)
    ring = list(range(len(points)))
    loops = []
    for hole in holes:
        points.extend(hole)
        loops.append(list(range(len(points) - len(hole), len(points))))
    # Joining the hole that reaches furthest right first keeps bridges from crossing.
    for loop in sorted(loops, key=lambda loop: -max(points[i][0] for i in loop)):
        ring = _bridge(points, ring, loop)
    return _clip_ears(points, ring)


def _bridge(points: list[Point2], ring: list[int], hole: list[int]) -> list[int]:
    """Return the ring with the hole joined by a two-way cut to the nearest visible corner."""
    first = max(range(len(hole)), key=lambda k: points[hole[k]])
    turned = hole[first:] + hole[:first]
    x, y = points[turned[0]]

    def distance(k: int) -> float:
        px, py = points[ring[k]]
        return (px - x) ** 2 + (py - y) ** 2

    for k in sorted(range(len(ring)), key=distance):
        sees = _faces(points, ring, k, turned[0])
        if sees and _visible(points, ring, hole, turned[0], ring[k]):
            return [*ring[: k + 1], *turned, turned[0], *ring[k:]]
    raise HouseError("polygon: a hole is outside the outline; move it inside")


def _faces(points: list[Point2], ring: list[int], k: int, target: int) -> bool:
    """Whether the target is in the inner angle of the ring's k-th corner."""
    before, here, after = ring[k - 1], ring[k], ring[(k + 1) % len(ring)]
    leaves = _turn(points, before, here, target), _turn(points, here, after, target)
    if _turn(points, before, here, after) >= 0:
        return leaves[0] > 0 and leaves[1] > 0
    return leaves[0] > 0 or leaves[1] > 0


def _visible(points: list[Point2], ring: list[int], hole: list[int], a: int, b: int) -> bool:
    """Whether the segment a-b crosses no edge of ring or hole."""
    for loop in (ring, hole):
        for p, q in zip(loop, [*loop[1:], loop[0]], strict=True):
            if len({points[a], points[b], points[p], points[q]}) < 4:
                continue
            if _turn(points, a, b, p) * _turn(points, a, b, q) < 0 and (
                _turn(points, p, q, a) * _turn(points, p, q, b) < 0
            ):
                return False
    return True


def _turn(points: list[Point2], a: int, b: int, c: int) -> float:
    """Twice the signed area of the triangle a, b, c."""
    (ax, ay), (bx, by), (cx, cy) = points[a], points[b], points[c]
    return (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)


def _clip_ears(points: list[Point2], ring: list[int]) -> list[tuple[int, int, int]]:
    triangles: list[tuple[int, int, int]] = []
    ring = list(ring)
    while len(ring) > 2:
        ear = _find_ear(points, ring)
        before, after = ring[ear - 1], ring[(ear + 1) % len(ring)]
        if abs(_turn(points, before, ring[ear], after)) > 1e-14:
            triangles.append((before, ring[ear], after))
        del ring[ear]
    return triangles


def _find_ear(points: list[Point2], ring: list[int]) -> int:
    """Index in the ring of the plumpest corner that can be cut off."""
    best, best_shape = -1, -1.0
    for k, corner in enumerate(ring):
        a, c = ring[k - 1], ring[(k + 1) % len(ring)]
        area = _turn(points, a, corner, c)
        flat = abs(area) <= 1e-14
        if not flat and (area < 0 or _holds_a_point(points, ring, (a, corner, c))):
            continue
        (ax, ay), (cx, cy) = points[a], points[c]
        shape = area / ((ax - cx) ** 2 + (ay - cy) ** 2 + 1e-12)
        if shape > best_shape:
            best, best_shape = k, shape
    if best < 0:
        raise HouseError("polygon: the outline crosses itself; give its points in order")
    return best


def _holds_a_point(points: list[Point2], ring: list[int], triangle: tuple[int, int, int]) -> bool:
    a, b, c = triangle
    return any(
        points[p] not in (points[a], points[b], points[c])
        and _turn(points, a, b, p) >= 0
        and _turn(points, b, c, p) >= 0
        and _turn(points, c, a, p) >= 0
        for p in ring
    )
