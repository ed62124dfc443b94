/* See buffers.h. */
#include "buffers.h"

#include <stdlib.h>

static const char *type_name(char format) {
    return format == 'f' ? "float32" : format == 'i' ? "int32" : "uint8";
}

static bool has_format(const Py_buffer *buffer, char format) {
    const char *given = buffer->format ? buffer->format : "B";
    if (*given == '@' || *given == '=' || *given == '<') given++;
    if (given[0] == '\0' || given[1] != '\0') return false;
    if (format == 'i') return (given[0] == 'i' || given[0] == 'l') && buffer->itemsize == 4;
    return given[0] == format;
}

static bool room_for_one(Held *held) {
    if (held->count < held->capacity) return true;
    size_t capacity = held->capacity ? 2 * held->capacity : 16;
    Py_buffer **buffers = realloc(held->buffers, capacity * sizeof *buffers);
    if (!buffers) return false;
    held->buffers = buffers;
    held->capacity = capacity;
    return true;
}

const Py_buffer *hold(Held *held, PyObject *object, const char *name, char format, int dimensions,
                      Py_ssize_t columns, bool writable) {
    Py_buffer *buffer = room_for_one(held) ? malloc(sizeof *buffer) : NULL;
    if (!buffer) {
        PyErr_NoMemory();
        return NULL;
    }
    int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(object, buffer, flags) < 0) {
        free(buffer);
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError,
                     "%s: expected a C-contiguous%s %s array; use np.ascontiguousarray or a fresh "
                     "buffer",
                     name, writable ? ", writable" : "", type_name(format));
        return NULL;
    }
    held->buffers[held->count++] = buffer;
    if (has_format(buffer, format) && buffer->ndim == dimensions &&
        (columns < 0 || buffer->shape[dimensions - 1] == columns))
        return buffer;
    PyErr_Format(PyExc_ValueError,
                 "%s: expected %s with %d dimensions, the last of %zd (-1: any); got format '%s' "
                 "with %d dimensions, the last of %zd",
                 name, type_name(format), dimensions, columns,
                 buffer->format ? buffer->format : "B", buffer->ndim,
                 buffer->ndim ? buffer->shape[buffer->ndim - 1] : (Py_ssize_t)0);
    return NULL;
}

const Py_buffer *hold_rows(Held *held, PyObject *object, const char *name, char format,
                           Py_ssize_t rows, Py_ssize_t columns) {
    const Py_buffer *buffer = hold(held, object, name, format, 2, columns, false);
    if (!buffer || buffer->shape[0] == rows) return buffer;
    PyErr_Format(PyExc_ValueError, "%s: %zd rows for %zd vertices", name, buffer->shape[0], rows);
    return NULL;
}

bool check_numbers(const Py_buffer *buffer, const char *name, float limit) {
    const float *values = buffer->buf;
    Py_ssize_t count = buffer->len / (Py_ssize_t)sizeof(float);
    int outside = 0;
    for (Py_ssize_t i = 0; i < count; i++) /* false for not-a-number, too; no branch: vectorised */
        outside |= !((values[i] >= -limit) & (values[i] <= limit));
    if (!outside) return true;
    PyErr_Format(PyExc_ValueError,
                 "%s: holds a number that is not finite or beyond +-%d; mend the mesh or the pose",
                 name, (int)limit);
    return false;
}

void release(Held *held) {
    for (size_t i = 0; i < held->count; i++) {
        PyBuffer_Release(held->buffers[i]);
        free(held->buffers[i]);
    }
    free(held->buffers);
    *held = (Held){0};
}
