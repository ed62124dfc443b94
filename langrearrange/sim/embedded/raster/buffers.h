/* Borrowing Python's arrays: each is checked; a refusal says what was given and what is meant. */
#ifndef LANGREARRANGE_RASTER_BUFFERS_H
#define LANGREARRANGE_RASTER_BUFFERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "raster.h"

/* Buffers held during a call; released together. */
typedef struct {
    Py_buffer **buffers;
    size_t count, capacity;
} Held;

/* Hold an array of `dimensions` dimensions whose last one has `columns` entries (-1: any).
 * `format` is 'f' (float32), 'i' (int32) or 'B' (uint8). NULL with ValueError set. */
const Py_buffer *hold(Held *held, PyObject *object, const char *name, char format, int dimensions,
                      Py_ssize_t columns, bool writable);

/* Hold an array of shape (rows, columns). */
const Py_buffer *hold_rows(Held *held, PyObject *object, const char *name, char format,
                           Py_ssize_t rows, Py_ssize_t columns);

/* Whether all numbers are finite and within +-limit; else ValueError. */
bool check_numbers(const Py_buffer *buffer, const char *name, float limit);

void release(Held *held);

/* views.c: fill in a view from (ids, poses, camera, rgb, depth, segmentation); it borrows their
 * memory until `release`. The look is (light 3, ambient, diffuse, sky, background 3). False with
 * ValueError set. */
bool read_view(Held *held, PyObject *item, int num_meshes, View *view);
bool read_look(Held *held, PyObject *object, View *view);

#endif
