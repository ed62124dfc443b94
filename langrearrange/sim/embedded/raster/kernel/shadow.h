/* Contact shadows: darken what lies close around the foot of a thing, so that it sits, not floats.
 *
 * No geometry is drawn: 1/depth gives each pixel's point in the thing's own frame, and an ellipse
 * somewhat larger than the thing's footprint says how dark it gets. The thing itself stays as it
 * is: a flat plate would vanish in its own shadow.
 */

#define SHADOW_MARGIN_M 0.02f
#define SHADOW_HEIGHT_M 0.05f
#define SHADOW_STRENGTH 0.5f

/* Note the shadow of the instance that was drawn last, whose triangles begin with number `first`.
 * false: out of memory. */
static bool add_shadow(Workspace *w, const View *view, const Visible *visible, const Mesh *mesh,
                       int32_t first) {
    const float *m = visible->to_camera;
    float centre[3], extent[3], half[3],
        foot[3] = {mesh->centre[0], mesh->centre[1], mesh->centre[2] - mesh->half[2]};
    for (int k = 0; k < 2; k++) half[k] = mesh->half[k] * 1.1f + SHADOW_MARGIN_M;
    half[2] = SHADOW_HEIGHT_M;
    for (int k = 0; k < 3; k++) {
        const float *row = m + 4 * k;
        centre[k] = row[0] * foot[0] + row[1] * foot[1] + row[2] * foot[2] + row[3];
        extent[k] =
            absolute(row[0]) * half[0] + absolute(row[1]) * half[1] + absolute(row[2]) * half[2];
    }
    float nearest = -centre[2] - extent[2];
    if (nearest < view->near_m) return true; /* in the lens: no shadow would be seen */
    if (!grow(&w->shadows, (size_t)w->num_shadows + 1, sizeof(Shadow))) return false;
    Shadow *shadow = (Shadow *)w->shadows.items + w->num_shadows++;
    bound_pixels(w, centre, extent, nearest, view->focal, shadow->rect);
    shadow->own[0] = first;
    shadow->own[1] = w->num_triangles;
    float pixel = 2 / (w->width * view->focal);
    for (int k = 0; k < 3; k++) {
        shadow->step_x[k] = m[k] * pixel / half[k];
        shadow->step_y[k] = -m[4 + k] * pixel / half[k];
        shadow->ray[k] = (m[k] * (0.5f - w->width * 0.5f) * pixel +
                          m[4 + k] * (w->height * 0.5f - 0.5f) * pixel - m[8 + k]) /
                         half[k];
        shadow->origin[k] =
            (m[k] * centre[0] + m[4 + k] * centre[1] + m[8 + k] * centre[2]) / half[k];
    }
    return true;
}

/* What is left of the light at eight points given in units of the shadow's half axes. */
INLINE v8f light_left(v8f x, v8f y, v8f z) {
    v8f inside = max8(1.0f - (x * x + y * y), all8(0));
    v8f height = max8(z, -4.0f * z); /* below its foot a thing throws little */
    v8f low = max8(1.0f - height * height, all8(0));
    return 1.0f - SHADOW_STRENGTH * inside * low;
}

INLINE v8i darken(v8i color, v8f light) {
    v8i red = truncate8(to_float(color & 255) * light);
    v8i green = truncate8(to_float(color >> 8 & 255) * light);
    v8i blue = truncate8(to_float(color >> 16 & 255) * light);
    return red | green << 8 | blue << 16;
}

/* Darken a finished row of colours by every shadow that reaches it. */
static void shade_shadows(const Workspace *w, int32_t y, uint32_t *row) {
    const Shadow *shadows = w->shadows.items;
    const float *inverse_depth = w->inverse_depth + (size_t)y * w->pitch;
    const int32_t *ids = w->ids + (size_t)y * w->pitch;
    for (int32_t i = 0; i < w->num_shadows; i++) {
        const Shadow *shadow = &shadows[i];
        if (y < shadow->rect[2] || y > shadow->rect[3]) continue;
        float ray[3];
        for (int k = 0; k < 3; k++) ray[k] = shadow->ray[k] + shadow->step_y[k] * (float)y;
        for (int32_t x = shadow->rect[0] & -LANES; x <= shadow->rect[1]; x += LANES) {
            v8f column = to_float(x + IOTA_I);
            v8f depth = 1.0f / max8(load8(inverse_depth + x), all8(1e-6f));
            v8f along[3];
            for (int k = 0; k < 3; k++)
                along[k] = depth * (ray[k] + shadow->step_x[k] * column) - shadow->origin[k];
            v8i id = load8i(ids + x);
            v8i other = less8i(id, all8i(shadow->own[0])) | less8i(all8i(shadow->own[1]), id);
            v8f light = select8(other, light_left(along[0], along[1], along[2]), all8(1));
            if (mask_bits(less8(light, all8(1)))) {
                int32_t *colors = (int32_t *)row + x;
                store8i(colors, darken(load8i(colors), light));
            }
        }
    }
}
