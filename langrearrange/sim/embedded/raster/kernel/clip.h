/* Faces that cross the near plane: cut there and drawn as one or two triangles. */

/* A vertex before the division by depth, with its lit attributes. */
typedef struct {
    float right, up, depth;
    v8f attributes;
    int32_t vertex; /* in the pool, relative to the instance; -1: not projected yet */
    bool inside;
} ClipVertex;

static ClipVertex clip_vertex(const Workspace *w, const View *view, const Visible *visible,
                              const Mesh *mesh, int32_t vertex) {
    const float *m = visible->to_camera;
    float x = mesh->x[vertex], y = mesh->y[vertex], z = mesh->z[vertex];
    float inverse = ((float *)w->screen_w.items)[visible->first_vertex + vertex];
    ClipVertex result;
    result.right = m[0] * x + m[1] * y + m[2] * z + m[3];
    result.up = m[4] * x + m[5] * y + m[6] * z + m[7];
    result.depth = -(m[8] * x + m[9] * y + m[10] * z + m[11]);
    result.attributes = lit_attributes(view, visible, mesh, vertex);
    result.vertex = vertex;
    result.inside = inverse > 0 && inverse < 1 / view->near_m;
    return result;
}

/* Where an edge meets the near plane, always computed from its inner end: the neighbour that walks
 * the edge the other way gets the same point. */
static ClipVertex cut(const View *view, const ClipVertex *inside, const ClipVertex *outside) {
    float t = (inside->depth - view->near_m) / (inside->depth - outside->depth);
    ClipVertex result;
    result.right = inside->right + t * (outside->right - inside->right);
    result.up = inside->up + t * (outside->up - inside->up);
    result.depth = view->near_m;
    result.attributes = inside->attributes + t * (outside->attributes - inside->attributes);
    result.vertex = -1;
    result.inside = true;
    return result;
}

/* Give a cut vertex its place in the pool. */
static void project_cut(Workspace *w, const View *view, int32_t first, ClipVertex *vertex) {
    if (vertex->vertex >= 0) return;
    float half_x = w->width * 0.5f, half_y = w->height * 0.5f, scale = half_x * view->focal;
    float inverse = 1 / vertex->depth;
    int32_t index = w->num_vertices++;
    ((float *)w->screen_x.items)[index] = half_x + scale * vertex->right * inverse;
    ((float *)w->screen_y.items)[index] = half_y - scale * vertex->up * inverse;
    ((float *)w->screen_w.items)[index] = inverse;
    vertex->vertex = index - first;
}

INLINE bool faces_camera(const Workspace *w, int32_t first, const int32_t *vertex) {
    const float *x = (float *)w->screen_x.items + first, *y = (float *)w->screen_y.items + first;
    int32_t a = vertex[0], b = vertex[1], c = vertex[2];
    return (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a]) < 0;
}

static void draw_clipped(Workspace *w, int32_t visible, int32_t first, const ClipVertex *polygon,
                         int count) {
    Corner *corners = w->corners.items;
    for (int i = 1; i + 1 < count; i++) {
        const ClipVertex *fan[3] = {&polygon[0], &polygon[i], &polygon[i + 1]};
        int32_t vertex[3] = {fan[0]->vertex, fan[1]->vertex, fan[2]->vertex};
        if (!faces_camera(w, first, vertex)) continue;
        int32_t face = ~w->num_corners;
        for (int k = 0; k < 3; k++) {
            Corner *corner = &corners[w->num_corners++];
            corner->vertex = first + vertex[k];
            store8(corner->attributes, fan[k]->attributes);
        }
        draw_triangles(w, first, visible, all8i(vertex[0]), all8i(vertex[1]), all8i(vertex[2]),
                       &face, 1);
    }
}

/* Cut and draw one face; the caller has made room for 2 vertices, 2 triangles and 6 corners. */
static void clip_face(Workspace *w, const View *view, int32_t index, const Mesh *mesh,
                      int32_t face) {
    const Visible *visible = (Visible *)w->visible.items + index;
    ClipVertex corner[3], polygon[4];
    int count = 0;
    for (int k = 0; k < 3; k++)
        corner[k] = clip_vertex(w, view, visible, mesh, mesh->corner[k][face]);
    for (int k = 0; k < 3; k++) {
        const ClipVertex *here = &corner[k], *next = &corner[(k + 1) % 3];
        if (here->inside) polygon[count++] = *here;
        if (here->inside && !next->inside) polygon[count++] = cut(view, here, next);
        if (!here->inside && next->inside) polygon[count++] = cut(view, next, here);
    }
    for (int i = 0; i < count; i++) project_cut(w, view, visible->first_vertex, &polygon[i]);
    draw_clipped(w, index, visible->first_vertex, polygon, count);
}
