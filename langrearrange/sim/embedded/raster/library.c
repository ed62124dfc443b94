/* Meshes and textures in the layout the kernel reads. The caller has checked shapes and values. */
#include "raster.h"

#include <stdlib.h>
#include <string.h>

static size_t whole_lanes(size_t count) { return (count + LANES - 1) / LANES * LANES; }

void mesh_free(Mesh *mesh) {
    if (!mesh) return;
    free(mesh->x);
    free(mesh->y);
    free(mesh->z);
    free(mesh->attributes);
    free(mesh->normals);
    for (int corner = 0; corner < 3; corner++) free(mesh->corner[corner]);
    free(mesh);
}

static bool allocate(Mesh *mesh) {
    size_t vertices = whole_lanes((size_t)mesh->num_vertices);
    size_t faces = whole_lanes((size_t)mesh->num_faces);
    mesh->x = aligned_array(vertices, sizeof(float));
    mesh->y = aligned_array(vertices, sizeof(float));
    mesh->z = aligned_array(vertices, sizeof(float));
    mesh->attributes = aligned_array(vertices * ATTRIBUTES, sizeof(float));
    mesh->normals = aligned_array(vertices * 4, sizeof(float));
    bool complete = mesh->x && mesh->y && mesh->z && mesh->attributes && mesh->normals;
    for (int corner = 0; corner < 3; corner++) {
        mesh->corner[corner] = aligned_array(faces, sizeof(int32_t));
        complete = complete && mesh->corner[corner];
    }
    return complete;
}

static void copy_vertices(Mesh *mesh, const float *positions, const float *normals,
                          const float *colors, const float *uv) {
    size_t count = (size_t)mesh->num_vertices;
    for (size_t i = 0; i < whole_lanes(count); i++) {
        size_t from = i < count ? i : 0; /* padding repeats vertex 0 */
        mesh->x[i] = positions[3 * from];
        mesh->y[i] = positions[3 * from + 1];
        mesh->z[i] = positions[3 * from + 2];
        float *record = mesh->attributes + ATTRIBUTES * i;
        memset(record, 0, ATTRIBUTES * sizeof(float));
        memcpy(record + RED, colors + 3 * from, 3 * sizeof(float));
        if (uv) memcpy(record + TEX_U, uv + 2 * from, 2 * sizeof(float));
        record[ONE] = 1;
        memcpy(mesh->normals + 4 * i, normals + 3 * from, 3 * sizeof(float));
        mesh->normals[4 * i + 3] = 0;
    }
}

static void measure(Mesh *mesh) {
    const float *axes[3] = {mesh->x, mesh->y, mesh->z};
    for (int axis = 0; axis < 3; axis++) {
        float low = axes[axis][0], high = low;
        for (int32_t i = 1; i < mesh->num_vertices; i++) {
            float value = axes[axis][i];
            low = value < low ? value : low;
            high = value > high ? value : high;
        }
        mesh->centre[axis] = (low + high) * 0.5f;
        mesh->half[axis] = (high - low) * 0.5f + 1e-5f * (1 + high - low); /* rounding to spare */
    }
}

Mesh *mesh_new(int32_t num_vertices, int32_t num_faces, const float *positions,
               const float *normals, const float *colors, const int32_t *faces, const float *uv,
               int32_t texture) {
    Mesh *mesh = calloc(1, sizeof *mesh);
    if (!mesh) return NULL;
    mesh->num_vertices = num_vertices;
    mesh->num_faces = num_faces;
    mesh->texture = texture;
    if (!allocate(mesh)) {
        mesh_free(mesh);
        return NULL;
    }
    copy_vertices(mesh, positions, normals, colors, uv);
    for (int corner = 0; corner < 3; corner++) {
        memset(mesh->corner[corner], 0, whole_lanes((size_t)num_faces) * sizeof(int32_t));
        for (int32_t face = 0; face < num_faces; face++)
            mesh->corner[corner][face] = faces[3 * (size_t)face + corner];
    }
    measure(mesh);
    return mesh;
}

void texture_free(Texture *texture) {
    if (!texture) return;
    free(texture->texels);
    free(texture);
}

static uint32_t average(const uint32_t *texels, const size_t index[4]) {
    uint32_t result = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        uint32_t sum = 2;
        for (int i = 0; i < 4; i++) sum += texels[index[i]] >> shift & 255;
        result |= sum / 4 << shift;
    }
    return result;
}

static void make_level(Texture *texture, int level) {
    size_t width = (size_t)1 << texture->log2_width, height = (size_t)1 << texture->log2_height;
    size_t old_width = width >> (level - 1) ? width >> (level - 1) : 1;
    size_t old_height = height >> (level - 1) ? height >> (level - 1) : 1;
    width = width >> level ? width >> level : 1;
    height = height >> level ? height >> level : 1;
    const uint32_t *from = texture->texels + texture->offset[level - 1];
    uint32_t *to = texture->texels + texture->offset[level];
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            size_t x0 = 2 * x % old_width, x1 = (2 * x + 1) % old_width;
            size_t y0 = 2 * y % old_height, y1 = (2 * y + 1) % old_height;
            size_t index[4] = {y0 * old_width + x0, y0 * old_width + x1, y1 * old_width + x0,
                               y1 * old_width + x1};
            to[y * width + x] = average(from, index);
        }
}

static int32_t log2_of(int32_t power) {
    int32_t result = 0;
    while (1 << result < power) result++;
    return result;
}

/* Sides are powers of two, at most 1 << (MAX_LEVELS - 1). */
Texture *texture_new(int32_t width, int32_t height, const uint8_t *texels) {
    Texture *texture = calloc(1, sizeof *texture);
    if (!texture) return NULL;
    texture->log2_width = log2_of(width);
    texture->log2_height = log2_of(height);
    int32_t longer = width > height ? width : height;
    texture->num_levels = log2_of(longer) + 1;
    int32_t total = 0;
    for (int level = 0; level < texture->num_levels; level++) {
        int32_t w = width >> level ? width >> level : 1, h = height >> level ? height >> level : 1;
        texture->offset[level] = total;
        total += w * h;
    }
    texture->texels = aligned_array((size_t)total, sizeof(uint32_t));
    if (!texture->texels) {
        texture_free(texture);
        return NULL;
    }
    for (size_t i = 0; i < (size_t)width * (size_t)height; i++) {
        const uint8_t *texel = texels + 3 * i;
        texture->texels[i] = texel[0] | (uint32_t)texel[1] << 8 | (uint32_t)texel[2] << 16;
    }
    for (int level = 1; level < texture->num_levels; level++) make_level(texture, level);
    return texture;
}
