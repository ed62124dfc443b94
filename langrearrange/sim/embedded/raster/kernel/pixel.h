/* Arithmetic of one pixel that shading with and without texture shares. */

/* A colour as 0..255; lanes beyond a run's end may hold anything, even not-a-number. */
INLINE v8i to_byte(v8f value) { return truncate8(min8(max8(value, all8(0)), all8(255))); }

INLINE v8i pack_color(v8f red, v8f green, v8f blue) {
    return to_byte(red) | to_byte(green) << 8 | to_byte(blue) << 16;
}

/* The derivative of (u, v) by pixel has the determinant |here, across, down| * depth^3, where the
 * columns are u / depth, v / depth and 1 / depth with their steps. */
INLINE float uv_area(v8f here, v8f across, v8f down) {
    float area = across[TEX_U] * (down[TEX_V] * here[ONE] - here[TEX_V] * down[ONE]) -
                 down[TEX_U] * (across[TEX_V] * here[ONE] - here[TEX_V] * across[ONE]) +
                 here[TEX_U] * (across[TEX_V] * down[ONE] - down[TEX_V] * across[ONE]);
    return absolute(area);
}
