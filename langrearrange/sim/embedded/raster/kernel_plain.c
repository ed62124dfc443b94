/* The kernel for any machine: no instruction-set extension is named. */
#define KERNEL_NAME draw_plain
#include "kernel/draw.h"
