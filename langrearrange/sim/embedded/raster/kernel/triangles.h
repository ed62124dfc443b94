/* Pass 1: from an instance's mesh to 1/depth and triangle numbers in the visibility buffer. */

/* Project all vertices of an instance to pixels (y down) and 1/depth. Where 1/depth is not in
 * (0, 1/near) the vertex lies behind the near plane and its pixel position means nothing. */
static void project(const Workspace *w, const View *view, const Mesh *mesh, const float *m,
                    int32_t first) {
    float half_x = w->width * 0.5f, half_y = w->height * 0.5f;
    float scale_x = half_x * view->focal, scale_y = half_x * view->focal;
    float *restrict screen_x = (float *)w->screen_x.items + first;
    float *restrict screen_y = (float *)w->screen_y.items + first;
    float *restrict screen_w = (float *)w->screen_w.items + first;
    for (int32_t i = 0; i < mesh->num_vertices; i += LANES) {
        v8f x = load8(mesh->x + i), y = load8(mesh->y + i), z = load8(mesh->z + i);
        v8f inverse = -1.0f / (m[8] * x + m[9] * y + m[10] * z + m[11]);
        v8f right = m[0] * x + m[1] * y + m[2] * z + m[3];
        v8f up = m[4] * x + m[5] * y + m[6] * z + m[7];
        store8(screen_x + i, half_x + scale_x * right * inverse);
        store8(screen_y + i, half_y - scale_y * up * inverse);
        store8(screen_w + i, inverse);
    }
}

/* Eight edges at once: x = at_zero + step * y, less half a pixel so that ceil() gives a pixel. */
typedef struct {
    v8f at_zero, step;
} Edges;

INLINE Edges edges_between(v8f x0, v8f y0, v8f x1, v8f y1) {
    v8f step = (x1 - x0) / (y1 - y0); /* level edges cross no pixel row: their step is never used */
    return (Edges){x0 - step * y0 - 0.5f, step};
}

INLINE void swap_if(v8i mask, v8f *a, v8f *b) {
    v8f old = *a;
    *a = select8(mask, *b, *a);
    *b = select8(mask, old, *b);
}

/* First pixel row whose centre lies at or below y. */
INLINE v8i first_row(v8f y, float height) {
    return ceil8(min8(max8(y - 0.5f, all8(0)), all8(height)));
}

typedef struct {
    float left[LANES], left_step[LANES], right[LANES], right_step[LANES];
} Sides;

/* Eight triangles ready to fill: rows [top, middle) between `upper`, [middle, bottom) `lower`. */
typedef struct {
    int32_t top[LANES], middle[LANES], bottom[LANES];
    Sides upper, lower;
    float base[LANES], step_x[LANES], step_y[LANES]; /* 1/depth = base + step_x * x + step_y * y */
} Setup;

INLINE void store_sides(Sides *to, v8i long_is_left, Edges long_edge, Edges short_edge) {
    store8(to->left, select8(long_is_left, long_edge.at_zero, short_edge.at_zero));
    store8(to->left_step, select8(long_is_left, long_edge.step, short_edge.step));
    store8(to->right, select8(long_is_left, short_edge.at_zero, long_edge.at_zero));
    store8(to->right_step, select8(long_is_left, short_edge.step, long_edge.step));
}

/* Neighbours get the very same numbers for the edge they share, because its end points are taken in
 * order of y, whatever the winding: no pixel is drawn by neither or left out by both. */
INLINE void set_up(const Workspace *w, const float *screen_x, const float *screen_y,
                   const float *screen_w, v8i a, v8i b, v8i c, Setup *setup) {
    v8f x0 = gather8(screen_x, a), y0 = gather8(screen_y, a), z0 = gather8(screen_w, a);
    v8f x1 = gather8(screen_x, b), y1 = gather8(screen_y, b), z1 = gather8(screen_w, b);
    v8f x2 = gather8(screen_x, c), y2 = gather8(screen_y, c), z2 = gather8(screen_w, c);
    v8f ux = x1 - x0, uy = y1 - y0, vx = x2 - x0, vy = y2 - y0, uz = z1 - z0, vz = z2 - z0;
    v8f inverse = 1.0f / (ux * vy - uy * vx);
    v8f step_x = (uz * vy - vz * uy) * inverse, step_y = (vz * ux - uz * vx) * inverse;
    store8(setup->step_x, step_x);
    store8(setup->step_y, step_y);
    store8(setup->base, z0 - step_x * x0 - step_y * y0);
    v8i swap = less8(y1, y0);
    swap_if(swap, &x0, &x1), swap_if(swap, &y0, &y1);
    swap = less8(y2, y0);
    swap_if(swap, &x0, &x2), swap_if(swap, &y0, &y2);
    swap = less8(y2, y1);
    swap_if(swap, &x1, &x2), swap_if(swap, &y1, &y2);
    store8i(setup->top, first_row(y0, w->height));
    store8i(setup->middle, first_row(y1, w->height));
    store8i(setup->bottom, first_row(y2, w->height));
    Edges long_edge = edges_between(x0, y0, x2, y2);
    v8i long_is_left = less8(x0 + long_edge.step * (y1 - y0), x1);
    store_sides(&setup->upper, long_is_left, long_edge, edges_between(x0, y0, x1, y1));
    store_sides(&setup->lower, long_is_left, long_edge, edges_between(x1, y1, x2, y2));
}

/* What to fill in eight rows of one triangle: pixels [start, stop), and 1/depth at the centre of
 * the first pixel of the block that holds `start`. */
typedef struct {
    int32_t start[LANES], stop[LANES];
    float value[LANES];
} Rows;

/* A pixel belongs to a triangle when its centre lies in [left, right). Not-a-number fills nothing
 * it should not: every bound is clamped to the frame. */
INLINE void set_up_rows(const Setup *setup, int lane, int32_t y, float width, Rows *rows) {
    v8i row = y + IOTA_I;
    v8f centre = to_float(row) + 0.5f;
    v8i upper = less8i(row, all8i(setup->middle[lane]));
    const Sides *a = &setup->upper, *b = &setup->lower;
    v8f left = select8(upper, a->left[lane] + a->left_step[lane] * centre,
                       b->left[lane] + b->left_step[lane] * centre);
    v8f right = select8(upper, a->right[lane] + a->right_step[lane] * centre,
                        b->right[lane] + b->right_step[lane] * centre);
    v8i start = ceil8(min8(max8(left, all8(0)), all8(width)));
    store8i(rows->start, start);
    store8i(rows->stop, ceil8(max8(min8(right, all8(width)), all8(0))));
    store8(rows->value, setup->base[lane] + setup->step_y[lane] * centre +
                            setup->step_x[lane] * (to_float(start & -LANES) + 0.5f));
}

/* Write one triangle's 1/depth and number wherever it is nearer than what is there. Blocks start
 * at multiples of LANES, so that a load meets the store before it whole. */
INLINE void fill(const Workspace *w, const Setup *setup, int lane, int32_t id) {
    const size_t pitch = (size_t)w->pitch;
    const int32_t bottom = setup->bottom[lane];
    const float step_x = setup->step_x[lane], stride = LANES * step_x, width = (float)w->width;
    const v8f across = step_x * IOTA;
    const v8i ids = all8i(id);
    Rows rows;
    for (int32_t y = setup->top[lane]; y < bottom; y += LANES) {
        set_up_rows(setup, lane, y, width, &rows);
        int count = bottom - y < LANES ? bottom - y : LANES;
        float *depth_row = w->inverse_depth + (size_t)y * pitch;
        int32_t *id_row = w->ids + (size_t)y * pitch;
        for (int i = 0; i < count; i++, depth_row += pitch, id_row += pitch) {
            int32_t stop = rows.stop[i], block = rows.start[i] & -LANES;
            if (rows.start[i] >= stop) continue;
            v8f value = rows.value[i] + across;
            v8i inside = ~less8i(IOTA_I, all8i(rows.start[i] - block));
            for (;; block += LANES, value += stride) {
                float *depth = depth_row + block;
                int32_t *pixel = id_row + block;
                v8f old = load8(depth);
                inside &= less8i(IOTA_I, all8i(stop - block)) & less8(old, value);
                store8(depth, select8(inside, value, old));
                store8i(pixel, select8i(inside, ids, load8i(pixel)));
                if (block + LANES >= stop) break;
                inside = all8i(-1);
            }
        }
    }
}

/* Draw `count` <= LANES triangles whose corners are vertices a, b, c of the pool at `first`. */
INLINE void draw_triangles(Workspace *w, int32_t first, int32_t visible, v8i a, v8i b, v8i c,
                           const int32_t *faces, int count) {
    Setup setup;
    set_up(w, (float *)w->screen_x.items + first, (float *)w->screen_y.items + first,
           (float *)w->screen_w.items + first, a, b, c, &setup);
    Triangle *triangles = w->triangles.items;
    for (int lane = 0; lane < count; lane++) {
        triangles[w->num_triangles++] = (Triangle){visible, faces[lane], -1};
        fill(w, &setup, lane, w->num_triangles);
    }
}

/* List the faces that look at the camera and may cover a pixel centre: those in front of the near
 * plane from the start of `kept`, those that cross it from its end. Returns how many of each. */
typedef struct {
    int32_t whole, crossing;
} Kept;

static Kept keep_faces(Workspace *w, const View *view, const Mesh *mesh, int32_t first) {
    const float *screen_x = (float *)w->screen_x.items + first;
    const float *screen_y = (float *)w->screen_y.items + first;
    const float *screen_w = (float *)w->screen_w.items + first;
    int32_t *kept = w->kept.items;
    int32_t last = (int32_t)w->kept.capacity;
    Kept count = {0, 0};
    v8f zero = all8(0), width = all8((float)w->width), height = all8((float)w->height);
    v8f inverse_near = all8(1 / view->near_m);
    for (int32_t face = 0; face < mesh->num_faces; face += LANES) {
        v8i a = load8i(mesh->corner[0] + face), b = load8i(mesh->corner[1] + face);
        v8i c = load8i(mesh->corner[2] + face);
        v8f x0 = gather8(screen_x, a), y0 = gather8(screen_y, a), w0 = gather8(screen_w, a);
        v8f x1 = gather8(screen_x, b), y1 = gather8(screen_y, b), w1 = gather8(screen_w, b);
        v8f x2 = gather8(screen_x, c), y2 = gather8(screen_y, c), w2 = gather8(screen_w, c);
        v8i in0 = less8(zero, w0) & less8(w0, inverse_near);
        v8i in1 = less8(zero, w1) & less8(w1, inverse_near);
        v8i in2 = less8(zero, w2) & less8(w2, inverse_near);
        v8i whole = in0 & in1 & in2, some = in0 | in1 | in2;
        v8f left = max8(min8(min8(x0, x1), x2), zero), top = max8(min8(min8(y0, y1), y2), zero);
        v8f right = min8(max8(max8(x0, x1), x2), width);
        v8f bottom = min8(max8(max8(y0, y1), y2), height);
        v8i covers = less8i(ceil8(left - 0.5f), ceil8(right - 0.5f)) &
                     less8i(ceil8(top - 0.5f), ceil8(bottom - 0.5f));
        v8i front = less8((x1 - x0) * (y2 - y0), (y1 - y0) * (x2 - x0));
        unsigned draw = mask_bits(whole & covers & front), cross = mask_bits(some & ~whole);
        for (; draw; draw &= draw - 1) kept[count.whole++] = face + __builtin_ctz(draw);
        for (; cross; cross &= cross - 1)
            kept[last - ++count.crossing] = face + __builtin_ctz(cross);
    }
    return count;
}
