/* What the parts of the rasteriser share: meshes, textures, a view to draw, a thread's workspace.
 *
 * The renderer keeps a visibility buffer: pass 1 writes for every pixel 1/depth and the number of
 * the nearest triangle; pass 2 shades each pixel once. Depth and segmentation fall out of pass 1.
 * Only + - * / (and sqrt outside the kernel) touch pixels, so every machine computes the same
 * bytes.
 */
#ifndef LANGREARRANGE_RASTER_H
#define LANGREARRANGE_RASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LANES = 8, TILE = 16, MAX_LEVELS = 16, MAX_SIDE = 8192, MAX_THREADS = 256 };

/* Columns of View.ids: mesh (-1: not drawn), segmentation value, whether it casts a shadow. */
enum { MESH, SEGMENT, SHADOW, IDS };

/* Lanes of a vertex's attribute record; lane 5 is the constant 1, whose plane is 1/depth. */
enum { RED, GREEN, BLUE, TEX_U, TEX_V, ONE, ATTRIBUTES = 8 };

typedef struct {
    int32_t num_vertices, num_faces;
    int32_t texture;          /* index into the library's textures, -1: none */
    float centre[3], half[3]; /* bounding box */
    float *x, *y, *z;         /* positions, padded to whole lanes */
    float *attributes;        /* num_vertices records of ATTRIBUTES floats */
    float *normals;           /* num_vertices records of 4 floats, the last one 0 */
    int32_t *corner[3];       /* vertex of each face's corners, padded with (0, 0, 0) */
} Mesh;

typedef struct {
    int32_t log2_width, log2_height, num_levels;
    int32_t offset[MAX_LEVELS]; /* where each mip level begins */
    uint32_t *texels;           /* 0x00BBGGRR; 128 leaves the vertex colour as it is */
} Texture;

typedef struct {
    float direction[3];          /* towards the light, unit length, house frame */
    float ambient, diffuse, sky; /* shade = ambient + sky * up + diffuse * towards */
} Light;

typedef struct {
    const Mesh *const *meshes;
    const Texture *const *textures;
    int32_t num_instances;
    const int32_t *ids; /* IDS of each instance */
    const float *poses; /* 3 x 4 of each instance, row-major, to the house frame */
    float camera[12];   /* house frame -> camera (x right, y up, -z forward) */
    float focal;        /* 1 / tan(hfov / 2) */
    float near_m;
    Light light;
    uint8_t background[3];
    int32_t width, height;
    int32_t samples; /* 1, or 2 for 2 x 2 samples a pixel */
    bool textured;
    uint8_t *rgb; /* each may be NULL: not wanted */
    float *depth;
    int32_t *segmentation;
} View;

/* An instance that survived culling, in drawing order. */
typedef struct {
    int32_t instance, first_vertex; /* first_vertex: of this instance within the vertex pool */
    float nearest;                  /* depth of the nearest point of its bounding box */
    float inverse_nearest;          /* 1 / nearest, huge where the box reaches the near plane */
    int32_t rect[4];                /* x0, x1, y0, y1: pixels it can touch, both ends included */
    float to_camera[12];
    float light[3], up[3]; /* in the mesh's own frame */
} Visible;

typedef struct {
    int32_t visible; /* index into Workspace.visible */
    int32_t face;    /* face of its mesh, or ~c: clipped, corners c, c+1, c+2 */
    int32_t planes;  /* index into Workspace.planes, -1: not shaded yet */
} Triangle;

/* A corner of a clipped triangle: its vertex in the pool and its lit attributes. */
typedef struct {
    int32_t vertex;
    float attributes[ATTRIBUTES];
} Corner;

/* attribute / depth = base + step_x * x + step_y * y, all attributes side by side. */
typedef struct {
    float base[ATTRIBUTES], step_x[ATTRIBUTES], step_y[ATTRIBUTES];
    float uv_area; /* times depth cubed: the area in u, v that a pixel covers */
} Planes;

/* A contact shadow: a pixel's point in units of the shadow's half axes is
 * depth * (ray + step_x * x + step_y * y) - origin. */
typedef struct {
    int32_t rect[4]; /* x0, x1, y0, y1: pixels it can touch, both ends included */
    int32_t own[2];  /* numbers of the thing's own triangles, both ends included */
    float ray[3], step_x[3], step_y[3], origin[3];
} Shadow;

/* An array that grows; `items` is 64-byte aligned. */
typedef struct {
    void *items;
    size_t capacity;
} Growing;

/* Everything one thread needs to draw a view; buffers only ever grow. */
typedef struct Workspace {
    struct Workspace *next;
    int32_t width, height, pitch; /* in samples; pitch leaves room for a lane's overrun */
    Growing inverse_depth_buffer, id_buffer, row_buffer, tile_buffer;
    float *inverse_depth; /* height * pitch, 0: nothing */
    int32_t *ids;         /* height * pitch, triangle + 1, 0: nothing */
    uint32_t *rows;       /* `samples` rows of colours */
    float *tiles;         /* smallest inverse depth of each TILE x TILE square */
    Growing visible, sort_key;
    int32_t num_visible;
    Growing screen_x, screen_y, screen_w; /* the vertex pool: pixels, pixels, 1/depth */
    int32_t num_vertices;
    Growing kept; /* faces of one instance that may touch a pixel */
    Growing triangles, planes, corners, shadows;
    int32_t num_triangles, num_planes, num_corners, num_shadows;
} Workspace;

/* Draw one view; false: out of memory. */
typedef bool (*Kernel)(Workspace *workspace, const View *view);

/* memory.c */
bool grow(Growing *array, size_t count, size_t item_size);
Workspace *workspace_new(void);
void workspace_free(Workspace *workspace);
void *aligned_array(size_t count, size_t item_size);

/* library.c: copies checked arrays into the layout the kernel reads; NULL: out of memory. */
Mesh *mesh_new(int32_t num_vertices, int32_t num_faces, const float *positions,
               const float *normals, const float *colors, const int32_t *faces, const float *uv,
               int32_t texture);
void mesh_free(Mesh *mesh);
Texture *texture_new(int32_t width, int32_t height, const uint8_t *texels);
void texture_free(Texture *texture);

/* batch.c */
const char *level_name(int level); /* NULL beyond the last one */
bool level_supported(int level);
bool draw_views(Kernel kernel, Workspace **workspaces, int threads, const View *views, int count);
Kernel level_kernel(int level);
int best_level(void);

#endif
