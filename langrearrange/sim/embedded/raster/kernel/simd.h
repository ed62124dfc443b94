/* Eight lanes in plain C: GCC's vector extensions, with the instructions that it cannot find itself.
 *
 * Every level computes on eight lanes with the same + - * /, so all levels give the same bytes;
 * intrinsics below only choose a faster instruction for the same result.
 */
#ifndef LANGREARRANGE_RASTER_SIMD_H
#define LANGREARRANGE_RASTER_SIMD_H

#include <stdint.h>

#if defined(__SSSE3__)
#include <immintrin.h>
#endif

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi" /* all functions below are inlined */
#endif

typedef float v8f __attribute__((vector_size(32)));
typedef int32_t v8i __attribute__((vector_size(32)));
typedef float v8f_memory __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t v8i_memory __attribute__((vector_size(32), aligned(4), may_alias));

static const v8f IOTA = {0, 1, 2, 3, 4, 5, 6, 7};
static const v8i IOTA_I = {0, 1, 2, 3, 4, 5, 6, 7};

#define INLINE static inline __attribute__((always_inline))

INLINE v8f load8(const float *from) { return *(const v8f_memory *)from; }
INLINE v8i load8i(const int32_t *from) { return *(const v8i_memory *)from; }
INLINE void store8(float *to, v8f value) { *(v8f_memory *)to = value; }
INLINE void store8i(int32_t *to, v8i value) { *(v8i_memory *)to = value; }
INLINE v8f all8(float value) { return (v8f){value, value, value, value, value, value, value, value}; }
INLINE v8i all8i(int32_t value) {
    return (v8i){value, value, value, value, value, value, value, value};
}
INLINE v8f to_float(v8i value) { return __builtin_convertvector(value, v8f); }
INLINE v8i truncate8(v8f value) { return __builtin_convertvector(value, v8i); }

/* mask lanes are 0 or -1 */
INLINE v8i select8i(v8i mask, v8i yes, v8i no) {
#ifdef __AVX2__
    return (v8i)_mm256_blendv_ps((__m256)no, (__m256)yes, (__m256)mask);
#else
    return (yes & mask) | (no & ~mask);
#endif
}
INLINE v8f select8(v8i mask, v8f yes, v8f no) {
#ifdef __AVX2__
    return (v8f)_mm256_blendv_ps((__m256)no, (__m256)yes, (__m256)mask);
#else
    return (v8f)(((v8i)yes & mask) | ((v8i)no & ~mask));
#endif
}

/* a < b ? a : b and a > b ? a : b, hence b where a is not a number */
INLINE v8f min8(v8f a, v8f b) {
#ifdef __AVX2__
    return (v8f)_mm256_min_ps((__m256)a, (__m256)b);
#else
    return select8((v8i)(a < b), a, b);
#endif
}
INLINE v8f max8(v8f a, v8f b) {
#ifdef __AVX2__
    return (v8f)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return select8((v8i)(a > b), a, b);
#endif
}

/* smallest integer >= value, for |value| < 2^31 */
INLINE v8i ceil8(v8f value) {
    v8i whole = truncate8(value);
    return whole - (v8i)(to_float(whole) < value);
}

INLINE v8f gather8(const float *from, v8i index) {
#ifdef __AVX2__
    return (v8f)_mm256_i32gather_ps(from, (__m256i)index, 4);
#else
    return (v8f){from[index[0]], from[index[1]], from[index[2]], from[index[3]],
                 from[index[4]], from[index[5]], from[index[6]], from[index[7]]};
#endif
}
INLINE v8i gather8i(const int32_t *from, v8i index) {
#ifdef __AVX2__
    return (v8i)_mm256_i32gather_epi32((const int *)from, (__m256i)index, 4);
#else
    return (v8i){from[index[0]], from[index[1]], from[index[2]], from[index[3]],
                 from[index[4]], from[index[5]], from[index[6]], from[index[7]]};
#endif
}

/* bit i: lane i of the mask is set */
INLINE unsigned mask_bits(v8i mask) {
#ifdef __AVX2__
    return (unsigned)_mm256_movemask_ps((__m256)mask);
#else
    unsigned bits = 0;
    for (int i = 0; i < 8; i++) bits |= (unsigned)(mask[i] & 1) << i;
    return bits;
#endif
}

#endif
