/* The kernel for x86-64-v2 machines; batch.c calls it only where the processor can run it. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("sse3,ssse3,sse4.1,sse4.2,popcnt")
#define KERNEL_NAME draw_v2
#include "kernel/draw.h"
#else
typedef int draw_v2_needs_gcc_on_x86_64; /* ISO C forbids an empty file */
#endif
