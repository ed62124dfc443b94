/* Which instances can be seen, in which order to draw them, and which hide behind what is drawn. */

INLINE float absolute(float value) { return value < 0 ? -value : value; }

/* outer * inner of two 3 x 4 rigid transforms */
static void compose(const float *outer, const float *inner, float *result) {
    for (int row = 0; row < 3; row++)
        for (int column = 0; column < 4; column++)
            result[4 * row + column] =
                outer[4 * row] * inner[column] + outer[4 * row + 1] * inner[4 + column] +
                outer[4 * row + 2] * inner[8 + column] + (column == 3 ? outer[4 * row + 3] : 0);
}

/* Whether the box lies wholly outside one of the two planes +-focal * axis + z = 0. */
INLINE bool beside(const float *m, const float *centre, const float *half, int axis, float focal) {
    float left = 0, right = 0;
    for (int k = 0; k < 3; k++) {
        left += absolute(m[8 + k] - focal * m[4 * axis + k]) * half[k];
        right += absolute(m[8 + k] + focal * m[4 * axis + k]) * half[k];
    }
    return centre[2] - focal * centre[axis] > left || centre[2] + focal * centre[axis] > right;
}

INLINE int32_t clamp_pixel(float value, int32_t last) {
    return value > 0 ? (value < (float)last ? (int32_t)value : last) : 0;
}

/* The pixels that a box in front of the near plane can touch, by its camera-aligned hull. */
static void bound_pixels(const Workspace *w, const float *centre, const float *extent,
                         float nearest, float focal, int32_t *rect) {
    float near_inverse = 1 / nearest, far_inverse = 1 / (-centre[2] + extent[2]);
    float scale = w->width * 0.5f * focal;
    float bounds[2][2];
    for (int axis = 0; axis < 2; axis++) {
        float low = centre[axis] - extent[axis], high = centre[axis] + extent[axis];
        bounds[axis][0] = scale * low * (low < 0 ? near_inverse : far_inverse);
        bounds[axis][1] = scale * high * (high > 0 ? near_inverse : far_inverse);
    }
    rect[0] = clamp_pixel(w->width * 0.5f + bounds[0][0] - 1, w->width - 1);
    rect[1] = clamp_pixel(w->width * 0.5f + bounds[0][1] + 1, w->width - 1);
    rect[2] = clamp_pixel(w->height * 0.5f - bounds[1][1] - 1, w->height - 1);
    rect[3] = clamp_pixel(w->height * 0.5f - bounds[1][0] + 1, w->height - 1);
}

/* Fill in a Visible for an instance; false: outside the view. */
static bool see_instance(const Workspace *w, const View *view, int32_t instance, Visible *visible) {
    const Mesh *mesh = view->meshes[view->ids[IDS * instance + MESH]];
    float focal_x = view->focal, focal_y = view->focal * w->width / w->height;
    float *m = visible->to_camera;
    compose(view->camera, view->poses + 12 * (size_t)instance, m);
    float centre[3], extent[3];
    for (int k = 0; k < 3; k++) {
        const float *row = m + 4 * k;
        centre[k] =
            row[0] * mesh->centre[0] + row[1] * mesh->centre[1] + row[2] * mesh->centre[2] + row[3];
        extent[k] = absolute(row[0]) * mesh->half[0] + absolute(row[1]) * mesh->half[1] +
                    absolute(row[2]) * mesh->half[2];
    }
    if (-centre[2] + extent[2] < view->near_m) return false;
    if (beside(m, centre, mesh->half, 0, focal_x)) return false;
    if (beside(m, centre, mesh->half, 1, focal_y)) return false;
    visible->instance = instance;
    visible->nearest = -centre[2] - extent[2];
    if (visible->nearest > view->near_m) {
        visible->inverse_nearest = 1 / visible->nearest;
        bound_pixels(w, centre, extent, visible->nearest, view->focal, visible->rect);
    } else {
        visible->inverse_nearest = 1e30f;
        visible->rect[0] = visible->rect[2] = 0;
        visible->rect[1] = w->width - 1;
        visible->rect[3] = w->height - 1;
    }
    const float *pose = view->poses + 12 * (size_t)instance;
    for (int k = 0; k < 3; k++) {
        const float *light = view->light.direction;
        visible->light[k] = pose[k] * light[0] + pose[4 + k] * light[1] + pose[8 + k] * light[2];
        visible->up[k] = pose[8 + k];
    }
    return true;
}

typedef struct {
    float key;
    int32_t index;
} SortKey;

/* Fill Workspace.visible and sort it front to back, beginning with the room around the camera, so
 * that most of what is hidden is never drawn at all. false: out of memory. */
static bool find_visible(Workspace *w, const View *view) {
    size_t count = (size_t)view->num_instances;
    if (!grow(&w->visible, count, sizeof(Visible))) return false;
    if (!grow(&w->sort_key, count, sizeof(SortKey))) return false;
    Visible *visible = w->visible.items;
    SortKey *keys = w->sort_key.items;
    int32_t n = 0;
    for (int32_t i = 0; i < view->num_instances; i++) {
        if (view->ids[IDS * i + MESH] < 0 || !see_instance(w, view, i, &visible[n])) continue;
        float key = visible[n].nearest;
        int32_t place = n;
        for (; place > 0 && keys[place - 1].key > key; place--) keys[place] = keys[place - 1];
        keys[place] = (SortKey){key, n++};
    }
    w->num_visible = n;
    return true;
}

/* Note for every TILE x TILE square how far its farthest pixel lies. */
static void build_tiles(Workspace *w) {
    int32_t columns = (w->width + TILE - 1) / TILE;
    for (int32_t y = 0; y < w->height; y += TILE) {
        int32_t end = y + TILE < w->height ? y + TILE : w->height;
        float *tiles = w->tiles + (size_t)(y / TILE) * columns;
        for (int32_t column = 0; column < columns; column++) {
            const float *from = w->inverse_depth + (size_t)y * w->pitch + column * TILE;
            v8f low = all8(1e30f);
            for (int32_t row = y; row < end; row++, from += w->pitch)
                low = min8(min8(load8(from), load8(from + LANES)), low);
            float smallest = low[0];
            for (int i = 1; i < LANES; i++) smallest = low[i] < smallest ? low[i] : smallest;
            /* columns beyond the frame hold 0: the last tile of a ragged frame never hides */
            tiles[column] = smallest;
        }
    }
}

/* Whether everything drawn so far lies in front of the instance's box. */
static bool hidden(const Workspace *w, const Visible *visible) {
    int32_t columns = (w->width + TILE - 1) / TILE;
    for (int32_t y = visible->rect[2] / TILE; y <= visible->rect[3] / TILE; y++)
        for (int32_t x = visible->rect[0] / TILE; x <= visible->rect[1] / TILE; x++)
            if (w->tiles[(size_t)y * columns + x] <= visible->inverse_nearest * 1.001f)
                return false;
    return true;
}
