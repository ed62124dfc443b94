/* Eight lanes in plain C: GCC's vector extensions, with the instructions that it cannot find
 * itself.
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
INLINE v8f all8(float value) {
    return (v8f){value, value, value, value, value, value, value, value};
}
INLINE v8i all8i(int32_t value) {
    return (v8i){value, value, value, value, value, value, value, value};
}
/* Where the machine has no eight-lane registers, GCC compares and converts such vectors one lane at
 * a time, five times slower than two halves of four. */
typedef float v4f __attribute__((vector_size(16)));
typedef int32_t v4i __attribute__((vector_size(16)));
typedef union {
    v8f whole;
    v4f half[2];
} Halves;
typedef union {
    v8i whole;
    v4i half[2];
} HalvesI;

/* Lanes of a mask are 0 or -1. less8: a < b, false where either is not a number. */
INLINE v8i less8(v8f a, v8f b) {
#ifdef __AVX2__
    return (v8i)(a < b);
#else
    Halves x = {a}, y = {b};
    HalvesI result;
    for (int i = 0; i < 2; i++) result.half[i] = (v4i)(x.half[i] < y.half[i]);
    return result.whole;
#endif
}
INLINE v8i less8i(v8i a, v8i b) {
#ifdef __AVX2__
    return (v8i)(a < b);
#else
    HalvesI x = {a}, y = {b}, result;
    for (int i = 0; i < 2; i++) result.half[i] = (v4i)(x.half[i] < y.half[i]);
    return result.whole;
#endif
}
INLINE v8i equal8i(v8i a, v8i b) {
#ifdef __AVX2__
    return (v8i)(a == b);
#else
    HalvesI x = {a}, y = {b}, result;
    for (int i = 0; i < 2; i++) result.half[i] = (v4i)(x.half[i] == y.half[i]);
    return result.whole;
#endif
}
INLINE v8f to_float(v8i value) {
#ifdef __AVX2__
    return __builtin_convertvector(value, v8f);
#else
    HalvesI from = {value};
    Halves result;
    for (int i = 0; i < 2; i++) result.half[i] = __builtin_convertvector(from.half[i], v4f);
    return result.whole;
#endif
}
INLINE v8i truncate8(v8f value) {
#ifdef __AVX2__
    return __builtin_convertvector(value, v8i);
#else
    Halves from = {value};
    HalvesI result;
    for (int i = 0; i < 2; i++) result.half[i] = __builtin_convertvector(from.half[i], v4i);
    return result.whole;
#endif
}

INLINE v8i select8i(v8i mask, v8i yes, v8i no) {
#ifdef __AVX2__
    return (v8i)_mm256_blendv_ps((__m256)no, (__m256)yes, (__m256)mask);
#else
    return (yes & mask) | (no & ~mask);
#endif
}
INLINE v8f select8(v8i mask, v8f yes, v8f no) { return (v8f)select8i(mask, (v8i)yes, (v8i)no); }

/* a < b ? a : b and a > b ? a : b, hence b where a is not a number */
INLINE v8f min8(v8f a, v8f b) {
#ifdef __AVX2__
    return (v8f)_mm256_min_ps((__m256)a, (__m256)b);
#else
    return select8(less8(a, b), a, b);
#endif
}
INLINE v8f max8(v8f a, v8f b) {
#ifdef __AVX2__
    return (v8f)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return select8(less8(b, a), a, b);
#endif
}

/* smallest and largest integer >= and <= value, for |value| < 2^31 */
INLINE v8i ceil8(v8f value) {
    v8i whole = truncate8(value);
    return whole - less8(to_float(whole), value);
}
INLINE v8i floor8(v8f value) {
    v8i whole = truncate8(value);
    return whole + less8(value, to_float(whole));
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
#if defined(__AVX2__)
    return (unsigned)_mm256_movemask_ps((__m256)mask);
#elif defined(__SSSE3__)
    HalvesI parts = {mask};
    return (unsigned)_mm_movemask_ps((__m128)parts.half[0]) |
           (unsigned)_mm_movemask_ps((__m128)parts.half[1]) << 4;
#else
    const v8i bits = {1, 2, 4, 8, 16, 32, 64, 128};
    v8i set = mask & bits;
    return (unsigned)(set[0] | set[1] | set[2] | set[3] | set[4] | set[5] | set[6] | set[7]);
#endif
}

#endif
