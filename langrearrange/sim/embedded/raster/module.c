/* The Python module `_langrearrange_raster`: checks what comes in, draws without the GIL.
 *
 * Only the limited API of CPython 3.11, so that one wheel serves every later version. Python code
 * goes through langrearrange.sim.embedded, which turns a ValueError from here into a RenderError.
 */
#include "buffers.h"

#include <stdlib.h>
#include <string.h>

/* Python compares this number with the one it was written for; raise it with every change here
 * that Python can see. */
enum { INTERFACE = 2 };

static int current_level;

typedef struct {
    PyObject_HEAD Mesh **meshes;
    Texture **textures;
    int num_meshes, num_textures, mesh_capacity, texture_capacity;
    void **outgrown; /* tables that a drawing thread may still read */
    int num_outgrown;
    Workspace *idle; /* unused workspaces; accessed under the GIL */
} Library;

/* Make room for one more entry. The old table stays: a thread may be drawing from it right now. */
static bool table_room(Library *library, void ***table, int count, int *capacity) {
    if (count < *capacity) return true;
    int larger = *capacity ? 2 * *capacity : 64;
    size_t num_outgrown = (size_t)library->num_outgrown + 1;
    void **outgrown = realloc(library->outgrown, num_outgrown * sizeof *outgrown);
    if (outgrown) library->outgrown = outgrown;
    void **items = malloc((size_t)larger * sizeof *items);
    if (!outgrown || !items) {
        free(items);
        PyErr_NoMemory();
        return false;
    }
    if (count) memcpy(items, *table, (size_t)count * sizeof *items);
    library->outgrown[library->num_outgrown++] = *table;
    *table = items;
    *capacity = larger;
    return true;
}

/* ---- add_texture, add_mesh ---- */

static bool power_of_two(Py_ssize_t value) { return value > 0 && (value & (value - 1)) == 0; }

static PyObject *library_add_texture(PyObject *self, PyObject *arguments) {
    Library *library = (Library *)self;
    PyObject *object;
    if (!PyArg_ParseTuple(arguments, "O:add_texture", &object)) return NULL;
    Held held = {0};
    const Py_buffer *texels = hold(&held, object, "texels", 'B', 3, 3, false);
    if (!texels) return NULL;
    Py_ssize_t height = texels->shape[0], width = texels->shape[1], most = 1 << (MAX_LEVELS - 4);
    PyObject *result = NULL;
    if (!power_of_two(height) || !power_of_two(width) || height > most || width > most) {
        PyErr_Format(PyExc_ValueError,
                     "texels: a texture of %zd x %zd; each side must be a power of two, at most "
                     "%zd. Resample it",
                     width, height, most);
    } else if (table_room(library, (void ***)&library->textures, library->num_textures,
                          &library->texture_capacity)) {
        Texture *texture = texture_new((int32_t)width, (int32_t)height, texels->buf);
        if (texture) {
            library->textures[library->num_textures] = texture;
            result = PyLong_FromLong(library->num_textures++);
        } else {
            PyErr_NoMemory();
        }
    }
    release(&held);
    return result;
}

static bool check_faces(const int32_t *faces, Py_ssize_t count, Py_ssize_t num_vertices) {
    for (Py_ssize_t i = 0; i < 3 * count; i++)
        if (faces[i] < 0 || faces[i] >= num_vertices) {
            PyErr_Format(PyExc_ValueError,
                         "faces: face %zd names vertex %d; the mesh has vertices 0..%zd", i / 3,
                         faces[i], num_vertices - 1);
            return false;
        }
    return true;
}

static Mesh *checked_mesh(Held *held, const Library *library, PyObject *objects[5], int texture) {
    const Py_buffer *positions = hold(held, objects[0], "positions", 'f', 2, 3, false);
    if (!positions) return NULL;
    Py_ssize_t count = positions->shape[0];
    const Py_buffer *normals = hold_rows(held, objects[1], "normals", 'f', count, 3);
    const Py_buffer *colors = normals ? hold_rows(held, objects[2], "colors", 'f', count, 3) : NULL;
    const Py_buffer *faces = colors ? hold(held, objects[3], "faces", 'i', 2, 3, false) : NULL;
    if (!faces) return NULL;
    const Py_buffer *uv = NULL;
    if (objects[4] != Py_None) {
        uv = hold_rows(held, objects[4], "uv", 'f', count, 2);
        if (!uv) return NULL;
    }
    Py_ssize_t num_faces = faces->shape[0], most = INT32_MAX / 64;
    if (count < 1 || num_faces < 1 || count > most || num_faces > most) {
        PyErr_Format(PyExc_ValueError, "a mesh of %zd vertices and %zd faces; each must be 1..%zd",
                     count, num_faces, most);
        return NULL;
    }
    if (!check_faces(faces->buf, num_faces, count)) return NULL;
    if (!check_numbers(positions, "positions", 1e5f) || !check_numbers(normals, "normals", 1e3f) ||
        !check_numbers(colors, "colors", 1e5f) || (uv && !check_numbers(uv, "uv", 1e4f)))
        return NULL;
    if (texture < -1 || texture >= library->num_textures || (texture >= 0 && !uv)) {
        PyErr_Format(PyExc_ValueError,
                     "texture %d: the library has %d textures, and a textured mesh needs uv; -1 "
                     "means none",
                     texture, library->num_textures);
        return NULL;
    }
    Mesh *mesh = mesh_new((int32_t)count, (int32_t)num_faces, positions->buf, normals->buf,
                          colors->buf, faces->buf, uv ? uv->buf : NULL, texture);
    if (!mesh) PyErr_NoMemory();
    return mesh;
}

static PyObject *library_add_mesh(PyObject *self, PyObject *arguments) {
    Library *library = (Library *)self;
    PyObject *objects[5];
    int texture;
    if (!PyArg_ParseTuple(arguments, "OOOOOi:add_mesh", &objects[0], &objects[1], &objects[2],
                          &objects[3], &objects[4], &texture))
        return NULL;
    Held held = {0};
    Mesh *mesh = checked_mesh(&held, library, objects, texture);
    release(&held);
    if (!mesh) return NULL;
    if (!table_room(library, (void ***)&library->meshes, library->num_meshes,
                    &library->mesh_capacity)) {
        mesh_free(mesh);
        return NULL;
    }
    library->meshes[library->num_meshes] = mesh;
    return PyLong_FromLong(library->num_meshes++);
}

/* ---- draw ---- */

/* Take one workspace a thread out of the idle ones; NULL with MemoryError set. */
static Workspace **take_workspaces(Library *library, int threads) {
    Workspace **result = calloc((size_t)threads, sizeof *result);
    bool complete = result != NULL;
    for (int i = 0; complete && i < threads; i++) {
        result[i] = library->idle ? library->idle : workspace_new();
        if (library->idle) library->idle = library->idle->next;
        complete = result[i] != NULL;
    }
    if (complete) return result;
    for (int i = 0; result && i < threads; i++) workspace_free(result[i]);
    free(result);
    PyErr_NoMemory();
    return NULL;
}

static void return_workspaces(Library *library, Workspace **workspaces, int threads) {
    for (int i = 0; i < threads; i++) {
        workspaces[i]->next = library->idle;
        library->idle = workspaces[i];
    }
    free(workspaces);
}

static bool run(Library *library, View *views, int count, int threads) {
    if (threads > count) threads = count;
    for (int i = 0; i < count; i++) { /* last of all: nothing can grow the tables from here on */
        views[i].meshes = (const Mesh *const *)library->meshes;
        views[i].textures = (const Texture *const *)library->textures;
    }
    Workspace **workspaces = take_workspaces(library, threads);
    if (!workspaces) return false;
    Kernel kernel = level_kernel(current_level);
    bool done;
    Py_BEGIN_ALLOW_THREADS done = draw_views(kernel, workspaces, threads, views, count);
    Py_END_ALLOW_THREADS return_workspaces(library, workspaces, threads);
    if (!done) PyErr_NoMemory();
    return done;
}

static PyObject *library_draw(PyObject *self, PyObject *arguments) {
    Library *library = (Library *)self;
    PyObject *items, *look;
    int samples, textured, threads;
    if (!PyArg_ParseTuple(arguments, "OOipi:draw", &items, &look, &samples, &textured, &threads))
        return NULL;
    bool fit = PyList_Check(items) && (samples == 1 || samples == 2);
    if (!fit || threads < 1 || threads > MAX_THREADS)
        return PyErr_Format(PyExc_ValueError,
                            "draw: expected a list of views, 1 or 2 samples and 1..%d threads; got "
                            "samples=%d, threads=%d",
                            MAX_THREADS, samples, threads);
    Py_ssize_t count = PyList_Size(items);
    if (count == 0) Py_RETURN_NONE;
    View common = {.samples = samples, .textured = textured};
    Held held = {0};
    View *views = malloc((size_t)count * sizeof *views);
    bool fine = views != NULL;
    if (!fine) PyErr_NoMemory();
    fine = fine && read_look(&held, look, &common);
    for (Py_ssize_t i = 0; fine && i < count; i++) {
        views[i] = common;
        fine = read_view(&held, PyList_GetItem(items, i), library->num_meshes, &views[i]);
    }
    fine = fine && run(library, views, (int)count, threads);
    free(views);
    release(&held);
    if (!fine) return NULL;
    Py_RETURN_NONE;
}

/* ---- the type and the module ---- */

static void library_dealloc(PyObject *self) {
    Library *library = (Library *)self;
    for (int i = 0; i < library->num_meshes; i++) mesh_free(library->meshes[i]);
    for (int i = 0; i < library->num_textures; i++) texture_free(library->textures[i]);
    for (int i = 0; i < library->num_outgrown; i++) free(library->outgrown[i]);
    free(library->outgrown);
    free(library->meshes);
    free(library->textures);
    while (library->idle) {
        Workspace *next = library->idle->next;
        workspace_free(library->idle);
        library->idle = next;
    }
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMethodDef LIBRARY_METHODS[] = {
    {"add_texture", library_add_texture, METH_VARARGS,
     "add_texture(texels) -> index. uint8 (h, w, 3), sides powers of two; 128 changes nothing."},
    {"add_mesh", library_add_mesh, METH_VARARGS,
     "add_mesh(positions, normals, colors, faces, uv | None, texture) -> index. Copies them all."},
    {"draw", library_draw, METH_VARARGS,
     "draw(views, look, samples, textured, threads). Each view is a tuple (ids int32 (n, 3),\n"
     "poses float32 (n, 3, 4), camera float32 (14,), rgb, depth, segmentation); look is float32 "
     "(9,)."},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot LIBRARY_SLOTS[] = {
    {Py_tp_doc, "Meshes and textures, and the workspaces to draw them with."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, library_dealloc},
    {Py_tp_methods, LIBRARY_METHODS},
    {0, NULL},
};
static PyType_Spec LIBRARY_SPEC = {"_langrearrange_raster.Library", sizeof(Library), 0,
                                   Py_TPFLAGS_DEFAULT, LIBRARY_SLOTS};

static PyObject *levels(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    PyObject *result = PyList_New(0);
    for (int level = 0; result && level_name(level); level++) {
        if (!level_supported(level)) continue;
        PyObject *name = PyUnicode_FromString(level_name(level));
        if (!name || PyList_Append(result, name) < 0) Py_CLEAR(result);
        Py_XDECREF(name);
    }
    return result;
}

static PyObject *use_level(PyObject *module, PyObject *arguments) {
    (void)module;
    const char *wanted, *before = level_name(current_level);
    if (!PyArg_ParseTuple(arguments, "s:use_level", &wanted)) return NULL;
    for (int level = 0; level_name(level); level++)
        if (level_supported(level) && strcmp(level_name(level), wanted) == 0) {
            current_level = level;
            return PyUnicode_FromString(before);
        }
    return PyErr_Format(PyExc_ValueError,
                        "use_level: this processor does not run '%s'; see levels()", wanted);
}

static PyMethodDef MODULE_METHODS[] = {
    {"levels", levels, METH_NOARGS, "levels() -> names of the kernels this processor can run."},
    {"use_level", use_level, METH_VARARGS,
     "use_level(name) -> name of the level in use before. For tests; the best is the default."},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef DEFINITION = {
    PyModuleDef_HEAD_INIT,
    "_langrearrange_raster",
    "The rasteriser of langrearrange.sim.embedded; not meant to be used directly.",
    -1,
    MODULE_METHODS,
    NULL,
    NULL,
    NULL,
    NULL};

PyMODINIT_FUNC PyInit__langrearrange_raster(void) {
    PyObject *module = PyModule_Create(&DEFINITION);
    if (!module) return NULL;
    current_level = best_level();
    PyObject *type = PyType_FromSpec(&LIBRARY_SPEC);
    int failed = !type || PyModule_AddObjectRef(module, "Library", type) < 0 ||
                 PyModule_AddIntConstant(module, "INTERFACE", INTERFACE) < 0;
    Py_XDECREF(type);
    if (failed) Py_CLEAR(module);
    return module;
}
