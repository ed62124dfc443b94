/* Which kernel this processor can run, and many views on several threads. */
#include "raster.h"

#include <pthread.h>

bool draw_plain(Workspace *workspace, const View *view);
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define HAS_LEVELS 1
bool draw_v2(Workspace *workspace, const View *view);
bool draw_v3(Workspace *workspace, const View *view);
bool draw_v4(Workspace *workspace, const View *view);
static const Kernel KERNELS[] = {draw_plain, draw_v2, draw_v3, draw_v4};
#else
#define HAS_LEVELS 0
static const Kernel KERNELS[] = {draw_plain};
#endif
static const char *const NAMES[] = {"plain", "v2", "v3", "v4"};
enum { NUM_LEVELS = sizeof KERNELS / sizeof *KERNELS };

const char *level_name(int level) { return level < NUM_LEVELS ? NAMES[level] : NULL; }

bool level_supported(int level) {
#if HAS_LEVELS
    if (level == 1) return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    if (level == 2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
    if (level == 3)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2");
#endif
    return level == 0;
}

int best_level(void) {
    int best = 0;
    for (int level = 1; level < NUM_LEVELS; level++)
        if (level_supported(level)) best = level;
    return best;
}

Kernel level_kernel(int level) { return KERNELS[level]; }

typedef struct {
    Kernel kernel;
    const View *views;
    int count;
    int next;   /* atomic: the next view to draw */
    int failed; /* atomic: some kernel ran out of memory */
} Job;

typedef struct {
    Job *job;
    Workspace *workspace;
    pthread_t thread;
} Worker;

static void *work(void *argument) {
    Worker *worker = argument;
    Job *job = worker->job;
    for (;;) {
        int index = __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED);
        if (index >= job->count) return NULL;
        if (!job->kernel(worker->workspace, &job->views[index]))
            __atomic_store_n(&job->failed, 1, __ATOMIC_RELAXED);
    }
}

/* Draw `count` views on `threads` threads, the caller's among them; false: out of memory.
 *
 * Threads are started per call: 15 us each against 8 ms for 16 frames, and a fork between two
 * calls (AsyncVectorEnv) finds no pool to lose. Where the system refuses one, the others do its
 * work. `workspaces` has one entry a thread, 1 <= threads <= MAX_THREADS.
 */
bool draw_views(Kernel kernel, Workspace **workspaces, int threads, const View *views, int count) {
    Job job = {kernel, views, count, 0, 0};
    Worker workers[MAX_THREADS];
    int started = 1;
    workers[0] = (Worker){.job = &job, .workspace = workspaces[0]};
    for (int i = 1; i < threads && i < MAX_THREADS; i++, started++) {
        workers[i] = (Worker){.job = &job, .workspace = workspaces[i]};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) break;
    }
    work(&workers[0]);
    for (int i = 1; i < started; i++) pthread_join(workers[i].thread, NULL);
    return !job.failed;
}
