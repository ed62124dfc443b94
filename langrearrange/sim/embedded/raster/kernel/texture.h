/* Texels for eight pixels at once: nearest texel of the nearest mip level, repeated endlessly. */

/* Half the log2 of how many texels a pixel covers, rounded to a level that exists: up from somewhat
 * more than one texel, since a blur disturbs less than a flicker. Taken from the bits of a float,
 * since a logarithm would not be the same number on every machine. */
INLINE v8i mip_level(const Texture *texture, v8f texels) {
    v8i exponent = ((v8i)(1.9f * texels) >> 23) - 127; /* floor(log2(...)) */
    v8i level = (exponent + 1) >> 1;
    v8i highest = all8i(texture->num_levels - 1);
    level = select8i(less8i(level, highest), level, highest);
    return level & ~(level >> 31); /* at least 0 */
}

/* Index of a texel; lanes beyond a run's end may hold anything and still stay inside the texture.
 */
INLINE v8i texel_index(const Texture *texture, v8f u, v8f v, v8i level) {
    int32_t width = 1 << texture->log2_width, height = 1 << texture->log2_height;
    v8i column = (floor8(u * (float)width) & (width - 1)) >> level;
    v8i row = (floor8(v * (float)height) & (height - 1)) >> level;
    v8i row_shift = texture->log2_width - level;
    row_shift &= ~(row_shift >> 31);
    return gather8i(texture->offset, level) + (row << row_shift) + column;
}

/* Like shade_run, with the texture multiplied in: a texel of 128 leaves the colour as it is. */
INLINE void shade_textured_run(const Planes *planes, const Texture *texture, float centre_y,
                               int32_t x, int32_t end, uint32_t *row) {
    v8f step = load8(planes->step_x);
    v8f start = load8(planes->base) + load8(planes->step_y) * centre_y + step * ((float)x + 0.5f);
    int32_t size = 1 << (texture->log2_width + texture->log2_height);
    float texels = planes->uv_area * (float)size;
    for (; x < end; x += LANES, start += LANES * step) {
        v8f depth = 1.0f / (start[ONE] + step[ONE] * IOTA);
        v8f u = (start[TEX_U] + step[TEX_U] * IOTA) * depth;
        v8f v = (start[TEX_V] + step[TEX_V] * IOTA) * depth;
        v8i level = mip_level(texture, texels * depth * depth * depth);
        v8i texel = gather8i((const int32_t *)texture->texels, texel_index(texture, u, v, level));
        depth *= 1.0f / 128;
        v8f red = (start[RED] + step[RED] * IOTA) * depth * to_float(texel & 255);
        v8f green = (start[GREEN] + step[GREEN] * IOTA) * depth * to_float(texel >> 8 & 255);
        v8f blue = (start[BLUE] + step[BLUE] * IOTA) * depth * to_float(texel >> 16 & 255);
        store8i((int32_t *)row + x, pack_color(red, green, blue));
    }
}
