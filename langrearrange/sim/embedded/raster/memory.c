/* Arrays that grow and a thread's workspace. Nothing here knows what is drawn. */
#include "raster.h"

#include <stdlib.h>
#include <string.h>

void *aligned_array(size_t count, size_t item_size) {
    if (item_size && count > (SIZE_MAX - 128) / item_size) return NULL;
    size_t bytes = (count * item_size + 127) / 64 * 64; /* never 0, and room for a lane's overrun */
    return aligned_alloc(64, bytes);
}

/* Make room for `count` items, keeping what is there; false: out of memory, array unchanged. */
bool grow(Growing *array, size_t count, size_t item_size) {
    if (count <= array->capacity) return true;
    size_t capacity = array->capacity + array->capacity / 2;
    if (capacity < count) capacity = count;
    void *items = aligned_array(capacity, item_size);
    if (!items) return false;
    if (array->capacity) memcpy(items, array->items, array->capacity * item_size);
    free(array->items);
    array->items = items;
    array->capacity = capacity;
    return true;
}

Workspace *workspace_new(void) { return calloc(1, sizeof(Workspace)); }

void workspace_free(Workspace *workspace) {
    if (!workspace) return;
    Growing *arrays[] = {
        &workspace->inverse_depth_buffer,
        &workspace->id_buffer,
        &workspace->row_buffer,
        &workspace->tile_buffer,
        &workspace->visible,
        &workspace->sort_key,
        &workspace->screen_x,
        &workspace->screen_y,
        &workspace->screen_w,
        &workspace->kept,
        &workspace->triangles,
        &workspace->planes,
        &workspace->corners,
        &workspace->shadows,
    };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]->items);
    free(workspace);
}
