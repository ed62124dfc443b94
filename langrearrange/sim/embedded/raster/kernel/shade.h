/* Pass 2: the colour of every pixel from the triangle that owns it. */

/* A vertex's attributes with the light multiplied into its colour, which stays within [0, 255]; the
 * half added here makes the truncation of a pixel's colour a rounding. */
INLINE v8f lit_attributes(const View *view, const Visible *visible, const Mesh *mesh,
                          int32_t vertex) {
    const float *normal = mesh->normals + 4 * (size_t)vertex;
    const float *light = visible->light, *up = visible->up;
    float towards = normal[0] * light[0] + normal[1] * light[1] + normal[2] * light[2];
    float upward = normal[0] * up[0] + normal[1] * up[1] + normal[2] * up[2];
    /* What faces away keeps a quarter of the slope: shapes stay readable in the shade. */
    float shade = view->light.ambient + view->light.sky * upward +
                  view->light.diffuse * (towards > 0 ? towards : 0.25f * towards);
    v8f scale = {shade, shade, shade, 1, 1, 1, 1, 1};
    v8f value = load8(mesh->attributes + ATTRIBUTES * (size_t)vertex) * scale;
    const v8f low = {0, 0, 0, -1e30f, -1e30f, -1e30f, -1e30f, -1e30f};
    const v8f high = {255, 255, 255, 1e30f, 1e30f, 1e30f, 1e30f, 1e30f};
    const v8f rounding = {0.5f, 0.5f, 0.5f, 0, 0, 0, 0, 0};
    return min8(max8(value, low), high) + rounding;
}

/* Work out a triangle's attribute planes; called once for each triangle that owns a pixel. */
static void make_planes(Workspace *w, const View *view, Triangle *triangle) {
    const Visible *visible = (Visible *)w->visible.items + triangle->visible;
    int32_t vertex[3];
    v8f value[3];
    for (int k = 0; k < 3; k++) {
        if (triangle->face < 0) {
            const Corner *corner = (Corner *)w->corners.items + ~triangle->face + k;
            vertex[k] = corner->vertex;
            value[k] = load8(corner->attributes);
        } else {
            const Mesh *mesh = view->meshes[view->ids[IDS * visible->instance + MESH]];
            int32_t index = mesh->corner[k][triangle->face];
            vertex[k] = visible->first_vertex + index;
            value[k] = lit_attributes(view, visible, mesh, index);
        }
        value[k] *= ((float *)w->screen_w.items)[vertex[k]];
    }
    const float *x = w->screen_x.items, *y = w->screen_y.items;
    float x0 = x[vertex[0]], y0 = y[vertex[0]];
    float ux = x[vertex[1]] - x0, uy = y[vertex[1]] - y0;
    float vx = x[vertex[2]] - x0, vy = y[vertex[2]] - y0;
    float inverse = 1 / (ux * vy - uy * vx);
    v8f u = value[1] - value[0], v = value[2] - value[0];
    v8f step_x = (u * vy - v * uy) * inverse, step_y = (v * ux - u * vx) * inverse;
    triangle->planes = w->num_planes++;
    Planes *planes = (Planes *)w->planes.items + triangle->planes;
    store8(planes->step_x, step_x);
    store8(planes->step_y, step_y);
    store8(planes->base, value[0] - step_x * x0 - step_y * y0);
    planes->uv_area = uv_area(value[0], step_x, step_y);
}

/* Colour pixels [x, end) of a row, all of one triangle. May write up to 7 pixels further: they are
 * overwritten by the next run, or are in the row's padding. */
INLINE void shade_run(const Planes *planes, float centre_y, int32_t x, int32_t end, uint32_t *row) {
    v8f step = load8(planes->step_x);
    v8f start = load8(planes->base) + load8(planes->step_y) * centre_y + step * ((float)x + 0.5f);
    v8f across_w = step[ONE] * IOTA, across_red = step[RED] * IOTA;
    v8f across_green = step[GREEN] * IOTA, across_blue = step[BLUE] * IOTA;
    for (; x < end; x += LANES, start += LANES * step) {
        v8f depth = 1.0f / (start[ONE] + across_w);
        v8i color =
            pack_color((start[RED] + across_red) * depth, (start[GREEN] + across_green) * depth,
                       (start[BLUE] + across_blue) * depth);
        store8i((int32_t *)row + x, color);
    }
}

/* First pixel at or after x that does not belong to `id`. */
INLINE int32_t run_end(const int32_t *ids, int32_t x, int32_t width, int32_t id) {
    for (; x < width; x += LANES) {
        unsigned other = mask_bits(~equal8i(load8i(ids + x), all8i(id)));
        if (other) {
            x += __builtin_ctz(other);
            break;
        }
    }
    return x < width ? x : width;
}

INLINE const Texture *texture_of(const Workspace *w, const View *view, const Triangle *triangle) {
    const Visible *visible = (Visible *)w->visible.items + triangle->visible;
    int32_t texture = view->meshes[view->ids[IDS * visible->instance + MESH]]->texture;
    return texture < 0 ? NULL : view->textures[texture];
}

static void shade_row(Workspace *w, const View *view, int32_t y, uint32_t *row) {
    const int32_t *ids = w->ids + (size_t)y * w->pitch;
    Triangle *triangles = w->triangles.items;
    uint32_t background = view->background[0] | (uint32_t)view->background[1] << 8 |
                          (uint32_t)view->background[2] << 16;
    float centre = (float)y + 0.5f;
    for (int32_t x = 0, end; x < w->width; x = end) {
        int32_t id = ids[x];
        end = run_end(ids, x + 1, w->width, id);
        if (id == 0) {
            for (int32_t i = x; i < end; i++) row[i] = background;
            continue;
        }
        Triangle *triangle = &triangles[id - 1];
        if (triangle->planes < 0) make_planes(w, view, triangle);
        const Planes *planes = (Planes *)w->planes.items + triangle->planes;
        const Texture *texture = view->textured ? texture_of(w, view, triangle) : NULL;
        if (texture)
            shade_textured_run(planes, texture, centre, x, end, row);
        else
            shade_run(planes, centre, x, end, row);
    }
}
