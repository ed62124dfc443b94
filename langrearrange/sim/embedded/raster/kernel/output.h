/* From rows of samples to the caller's buffers. */

/* Average 2 x 2 samples into one pixel, rounding to nearest. */
static void average_rows(const uint32_t *upper, const uint32_t *lower, uint32_t *to,
                         int32_t width) {
    for (int32_t x = 0; x < width; x++) {
        uint32_t a = upper[2 * x], b = upper[2 * x + 1], c = lower[2 * x], d = lower[2 * x + 1];
        uint32_t red_blue = (a & 0xff00ff) + (b & 0xff00ff) + (c & 0xff00ff) + (d & 0xff00ff);
        uint32_t green = (a & 0xff00) + (b & 0xff00) + (c & 0xff00) + (d & 0xff00);
        to[x] = ((red_blue + 0x20002) >> 2 & 0xff00ff) | ((green + 0x200) >> 2 & 0xff00);
    }
}

/* Write a row of 0x00BBGGRR as bytes R, G, B. */
static void write_rgb(const uint32_t *row, uint8_t *to, int32_t width) {
    int32_t x = 0;
#ifdef __SSSE3__
    const __m128i drop_fourth =
        _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    for (; x + 8 <= width; x += 4) { /* 16 bytes are written, 12 count: never past the row's end */
        __m128i four = _mm_loadu_si128((const __m128i *)(row + x));
        _mm_storeu_si128((__m128i *)(to + 3 * x), _mm_shuffle_epi8(four, drop_fourth));
    }
#endif
    for (; x < width; x++) {
        to[3 * x] = (uint8_t)row[x];
        to[3 * x + 1] = (uint8_t)(row[x] >> 8);
        to[3 * x + 2] = (uint8_t)(row[x] >> 16);
    }
}

static void write_depth(const Workspace *w, int32_t samples, int32_t y, float *to, int32_t width) {
    const float *inverse = w->inverse_depth + (size_t)y * samples * w->pitch;
    for (int32_t x = 0; x < width; x++) {
        float value = inverse[x * samples];
        to[x] = value > 0 ? 1 / value : 0;
    }
}

static void write_segmentation(const Workspace *w, const View *view, int32_t y, int32_t *to) {
    const int32_t *ids = w->ids + (size_t)y * view->samples * w->pitch;
    const Triangle *triangles = w->triangles.items;
    const Visible *visible = w->visible.items;
    for (int32_t x = 0; x < view->width; x++) {
        int32_t id = ids[x * view->samples];
        to[x] = id ? view->ids[IDS * visible[triangles[id - 1].visible].instance + SEGMENT] : -1;
    }
}
