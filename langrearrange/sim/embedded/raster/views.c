/* From the tuples Python hands over to views that are safe to draw. */
#include "buffers.h"

#include <string.h>

static bool read_scene(Held *held, PyObject *item, int num_meshes, View *view) {
    const Py_buffer *ids = hold(held, PyTuple_GetItem(item, 0), "ids", 'i', 2, IDS, false);
    if (!ids) return false;
    const Py_buffer *poses = hold(held, PyTuple_GetItem(item, 1), "poses", 'f', 3, 4, false);
    if (!poses) return false;
    if (poses->shape[0] != ids->shape[0] || poses->shape[1] != 3 || ids->shape[0] > INT32_MAX) {
        PyErr_Format(PyExc_ValueError,
                     "poses: shape (%zd, %zd, 4) for %zd instances; expected (n, 3, 4)",
                     poses->shape[0], poses->shape[1], ids->shape[0]);
        return false;
    }
    view->num_instances = (int32_t)ids->shape[0];
    view->ids = ids->buf;
    view->poses = poses->buf;
    for (int32_t i = 0; i < view->num_instances; i++)
        if (view->ids[IDS * i + MESH] < -1 || view->ids[IDS * i + MESH] >= num_meshes) {
            PyErr_Format(PyExc_ValueError,
                         "ids: instance %d has mesh %d; the library has %d meshes", i,
                         view->ids[IDS * i + MESH], num_meshes);
            return false;
        }
    return check_numbers(poses, "poses", 1e5f);
}

static bool read_camera(Held *held, PyObject *item, View *view) {
    const Py_buffer *camera = hold(held, PyTuple_GetItem(item, 2), "camera", 'f', 1, 14, false);
    if (!camera || !check_numbers(camera, "camera", 1e5f)) return false;
    const float *values = camera->buf;
    memcpy(view->camera, values, sizeof view->camera);
    view->focal = values[12];
    view->near_m = values[13];
    if (!(view->focal >= 0.01f && view->focal <= 1000) || !(view->near_m >= 1e-3f)) {
        PyErr_SetString(PyExc_ValueError,
                        "camera: the focal scale 1/tan(hfov/2) must be 0.01..1000 and the near "
                        "plane at least 1 mm; check hfov_deg");
        return false;
    }
    return true;
}

/* Note the frame's size, or see that it is the one noted before. */
static bool same_size(View *view, const Py_buffer *buffer, const char *name) {
    Py_ssize_t height = buffer->shape[0], width = buffer->shape[1];
    Py_ssize_t most = MAX_SIDE / view->samples;
    if (height < 1 || width < 1 || height > most || width > most) {
        PyErr_Format(PyExc_ValueError, "%s: a frame of %zd x %zd; each side must be 1..%zd", name,
                     width, height, most);
        return false;
    }
    if (view->width && (view->width != width || view->height != height)) {
        PyErr_Format(PyExc_ValueError, "%s: %zd x %zd, but the frame's first buffer is %d x %d",
                     name, width, height, view->width, view->height);
        return false;
    }
    view->width = (int32_t)width;
    view->height = (int32_t)height;
    return true;
}

static bool read_frame(Held *held, PyObject *item, View *view) {
    static const char *const NAMES[3] = {"rgb", "depth", "segmentation"};
    static const char FORMATS[3] = {'B', 'f', 'i'};
    void *buffers[3] = {NULL, NULL, NULL};
    for (int i = 0; i < 3; i++) {
        PyObject *object = PyTuple_GetItem(item, 3 + i);
        if (object == Py_None) continue;
        const Py_buffer *buffer =
            hold(held, object, NAMES[i], FORMATS[i], i ? 2 : 3, i ? -1 : 3, true);
        if (!buffer || !same_size(view, buffer, NAMES[i])) return false;
        buffers[i] = buffer->buf;
    }
    view->rgb = buffers[0];
    view->depth = buffers[1];
    view->segmentation = buffers[2];
    if (view->width) return true;
    PyErr_SetString(PyExc_ValueError, "a frame without buffers: give rgb, depth or segmentation");
    return false;
}

bool read_view(Held *held, PyObject *item, int num_meshes, View *view) {
    if (!PyTuple_Check(item) || PyTuple_Size(item) != 6) {
        PyErr_SetString(PyExc_ValueError,
                        "a view is a tuple (ids, poses, camera, rgb, depth, segmentation)");
        return false;
    }
    return read_scene(held, item, num_meshes, view) && read_camera(held, item, view) &&
           read_frame(held, item, view);
}

bool read_look(Held *held, PyObject *object, View *view) {
    const Py_buffer *look = hold(held, object, "look", 'f', 1, 9, false);
    if (!look || !check_numbers(look, "look", 1e3f)) return false;
    const float *values = look->buf;
    memcpy(view->light.direction, values, 3 * sizeof(float));
    view->light.ambient = values[3];
    view->light.diffuse = values[4];
    view->light.sky = values[5];
    for (int k = 0; k < 3; k++) {
        float value = values[6 + k];
        view->background[k] = (uint8_t)(value > 0 ? (value < 255 ? value : 255) : 0);
    }
    return true;
}
