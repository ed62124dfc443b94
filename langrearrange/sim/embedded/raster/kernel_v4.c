/* The kernel for x86-64-v4 machines; batch.c calls it only where the processor can run it. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,bmi,bmi2,lzcnt,popcnt")
#define KERNEL_NAME draw_v4
#include "kernel/draw.h"
#else
typedef int draw_v4_needs_gcc_on_x86_64; /* ISO C forbids an empty file */
#endif
