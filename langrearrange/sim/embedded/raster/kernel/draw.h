/* One view, start to end. Included once per instruction-set level, which names KERNEL_NAME. */
#include "../raster.h"
#include "simd.h"

#include <string.h>

/* After so many more instances, look again at what hides what. */
#define TILES_EVERY 6

#include "cull.h"
#include "triangles.h"
#include "pixel.h"
#include "texture.h"
#include "shade.h"
#include "clip.h"
#include "shadow.h"
#include "output.h"

static bool prepare(Workspace *w, const View *view) {
    w->width = view->width * view->samples;
    w->height = view->height * view->samples;
    w->pitch = (w->width + TILE - 1) / TILE * TILE + TILE;
    size_t pixels = (size_t)w->pitch * (w->height + 1);
    size_t tiles = (size_t)(w->width / TILE + 1) * (w->height / TILE + 1);
    size_t row = (size_t)w->pitch + LANES;
    if (!grow(&w->inverse_depth_buffer, pixels, sizeof(float)) ||
        !grow(&w->id_buffer, pixels, sizeof(int32_t)) ||
        !grow(&w->tile_buffer, tiles, sizeof(float)) ||
        !grow(&w->row_buffer, 3 * row, sizeof(uint32_t)))
        return false;
    w->inverse_depth = w->inverse_depth_buffer.items;
    w->ids = w->id_buffer.items;
    w->tiles = w->tile_buffer.items;
    w->rows = w->row_buffer.items;
    memset(w->inverse_depth, 0, pixels * sizeof(float));
    memset(w->ids, 0, pixels * sizeof(int32_t));
    w->num_vertices = w->num_triangles = w->num_planes = w->num_corners = 0;
    w->num_shadows = 0;
    return true;
}

static bool make_room(Workspace *w, size_t vertices, size_t triangles, size_t corners) {
    vertices += (size_t)w->num_vertices;
    triangles += (size_t)w->num_triangles;
    corners += (size_t)w->num_corners;
    if (vertices > INT32_MAX || triangles > INT32_MAX || corners > INT32_MAX) return false;
    return grow(&w->screen_x, vertices, sizeof(float)) &&
           grow(&w->screen_y, vertices, sizeof(float)) &&
           grow(&w->screen_w, vertices, sizeof(float)) &&
           grow(&w->triangles, triangles, sizeof(Triangle)) &&
           grow(&w->corners, corners, sizeof(Corner));
}

static bool draw_instance(Workspace *w, const View *view, int32_t index) {
    Visible *visible = (Visible *)w->visible.items + index;
    const Mesh *mesh = view->meshes[view->ids[IDS * visible->instance + MESH]];
    int32_t first = visible->first_vertex = w->num_vertices, first_id = w->num_triangles + 1;
    size_t vertices = ((size_t)mesh->num_vertices + LANES - 1) / LANES * LANES;
    if (!make_room(w, vertices, 0, 0)) return false;
    if (!grow(&w->kept, (size_t)mesh->num_faces + LANES, sizeof(int32_t))) return false;
    w->num_vertices += (int32_t)vertices;
    project(w, view, mesh, visible->to_camera, first);
    Kept count = keep_faces(w, view, mesh, first);
    size_t crossing = (size_t)count.crossing;
    if (!make_room(w, 2 * crossing, (size_t)count.whole + 2 * crossing, 6 * crossing)) return false;
    const int32_t *kept = w->kept.items;
    for (int32_t i = 0; i < count.whole; i += LANES) {
        int32_t left = count.whole - i;
        v8i face = load8i(kept + i);
        /* lanes beyond the last face repeat one: no stray index is read */
        face = select8i(less8i(IOTA_I, all8i(left)), face, all8i(kept[i]));
        draw_triangles(w, first, index, gather8i(mesh->corner[0], face),
                       gather8i(mesh->corner[1], face), gather8i(mesh->corner[2], face), kept + i,
                       left < LANES ? left : LANES);
    }
    for (int32_t i = 1; i <= count.crossing; i++)
        clip_face(w, view, index, mesh, kept[w->kept.capacity - (size_t)i]);
    bool shadow = view->rgb && view->ids[IDS * visible->instance + SHADOW];
    return !shadow || add_shadow(w, view, visible, mesh, first_id);
}

static bool write_frame(Workspace *w, const View *view) {
    if (!grow(&w->planes, (size_t)w->num_triangles, sizeof(Planes))) return false;
    int32_t samples = view->samples;
    uint32_t *rows[3];
    for (int i = 0; i < 3; i++) rows[i] = w->rows + (size_t)i * (w->pitch + LANES);
    for (int32_t y = 0; y < view->height; y++) {
        size_t start = (size_t)y * view->width;
        if (view->rgb) {
            for (int32_t s = 0; s < samples; s++) {
                shade_row(w, view, y * samples + s, rows[s]);
                shade_shadows(w, y * samples + s, rows[s]);
            }
            if (samples == 2) average_rows(rows[0], rows[1], rows[2], view->width);
            write_rgb(rows[samples == 2 ? 2 : 0], view->rgb + 3 * start, view->width);
        }
        if (view->depth) write_depth(w, samples, y, view->depth + start, view->width);
        if (view->segmentation) write_segmentation(w, view, y, view->segmentation + start);
    }
    return true;
}

bool KERNEL_NAME(Workspace *w, const View *view) {
    if (!prepare(w, view) || !find_visible(w, view)) return false;
    const SortKey *order = w->sort_key.items;
    const Visible *visible = w->visible.items;
    int32_t drawn = 0;
    for (int32_t i = 0; i < w->num_visible; i++) {
        int32_t index = order[i].index;
        if (visible[index].nearest > view->near_m) {
            if (drawn % TILES_EVERY == 0) build_tiles(w);
            if (hidden(w, &visible[index])) continue;
            drawn++;
        }
        if (!draw_instance(w, view, index)) return false;
    }
    return write_frame(w, view);
}
