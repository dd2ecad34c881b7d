// CUDA C for a C++ compiler: blocks run one after the other, the threads of a block take turns. A
// thread runs until it waits at a barrier, and goes on when all that have to be there have come.
// Every second block runs its threads backwards: a barrier that is missing shows.

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define __global__
#define __device__ static
#define __forceinline__ inline
#define __shared__ static thread_local

struct Index { unsigned x, y; };
static thread_local Index threadIdx, blockIdx, gridDim;

static inline float __int_as_float(unsigned bits) {
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

// What a thread waits for.
enum Wait { NOTHING, WARP, BLOCK, END };

struct Thread {
    ucontext_t context;
    Wait wait;
};

struct Block {
    Thread threads[THREADS];
    ucontext_t scheduler;
    float exchanged[THREADS];
    char *stacks;
    void (*body)(void *);
    void *arguments;
};

static const size_t STACK = 32 << 10;

// The block of this thread of the host, made when it is first needed.
static thread_local struct Own {
    Block *block = 0;
    Block *operator->() { return block; }
    void make() {
        if (block) return;
        block = (Block *)calloc(1, sizeof(Block));
        block->stacks = (char *)malloc(STACK * THREADS);
    }
    ~Own() {
        if (block) free(block->stacks);
        free(block);
    }
} block;

static void wait_for(Wait wait) {
    Thread &thread = block->threads[threadIdx.x];
    thread.wait = wait;
    swapcontext(&thread.context, &block->scheduler);
}

static inline void __syncthreads() { wait_for(BLOCK); }

static inline float __shfl_xor_sync(unsigned, float value, int mask) {
    block->exchanged[threadIdx.x] = value;
    wait_for(WARP);
    float other = block->exchanged[threadIdx.x ^ mask];
    wait_for(WARP);
    return other;
}

static inline float atomicAdd(float *to, float value) {
    float before = *to;
    *to += value;
    return before;
}

static void run_thread() {
    block->body(block->arguments);
    block->threads[threadIdx.x].wait = END;
    // To the scheduler, by uc_link.
}

// Lets threads go on that have waited for the last of them; how many can run.
static unsigned release() {
    unsigned running = 0, at_barrier = 0, ended = 0;
    for (unsigned first = 0; first < THREADS; first += 32) {
        unsigned at_warp = 0, ended_here = 0;
        for (unsigned at = first; at < first + 32; at++) {
            Wait wait = block->threads[at].wait;
            at_warp += wait == WARP;
            ended_here += wait == END;
            at_barrier += wait == BLOCK;
        }
        ended += ended_here;
        if (at_warp > 0 && at_warp + ended_here == 32) {
            for (unsigned at = first; at < first + 32; at++) {
                Thread &thread = block->threads[at];
                if (thread.wait == WARP) thread.wait = NOTHING, running++;
            }
        }
    }
    if (at_barrier > 0 && at_barrier + ended == THREADS) {
        for (Thread &thread : block->threads) {
            if (thread.wait == BLOCK) thread.wait = NOTHING, running++;
        }
    }
    return running;
}

// Runs a block whose threads wait for each other. False if some wait for ever.
static bool run_block(bool backwards) {
    for (unsigned at = 0; at < THREADS; at++) {
        Thread &thread = block->threads[at];
        getcontext(&thread.context);
        thread.context.uc_stack.ss_sp = block->stacks + at * STACK;
        thread.context.uc_stack.ss_size = STACK;
        thread.context.uc_link = &block->scheduler;
        thread.wait = NOTHING;
        makecontext(&thread.context, run_thread, 0);
    }
    unsigned running = THREADS;
    while (running > 0) {
        for (unsigned turn = 0; turn < THREADS; turn++) {
            unsigned at = backwards ? THREADS - 1 - turn : turn;
            if (block->threads[at].wait != NOTHING) continue;
            threadIdx.x = at;
            swapcontext(&block->scheduler, &block->threads[at].context);
        }
        running = release();
    }
    for (Thread &thread : block->threads) {
        if (thread.wait != END) return false;
    }
    return true;
}

// The kind of a kernel's argument, and whether what the host passes is one.
template <class T> struct Kind { static bool is(char kind, unsigned size) { return kind == 's' && size == sizeof(T); } };
template <class T> struct Kind<T *> { static bool is(char kind, unsigned) { return kind == 'a'; } };
template <> struct Kind<unsigned> { static bool is(char kind, unsigned) { return kind == 'u'; } };
template <> struct Kind<float> { static bool is(char kind, unsigned) { return kind == 'f'; } };

template <int... At> struct Places {};
template <int N, int... At> struct MakePlaces : MakePlaces<N - 1, N - 1, At...> {};
template <int... At> struct MakePlaces<0, At...> { typedef Places<At...> Type; };

template <class... A> struct Launch {
    void (*kernel)(A...);
    void **pointers;
    template <int... At> void run(Places<At...>) const { kernel(*(A *)pointers[At]...); }
    static void body(void *launch) {
        ((Launch *)launch)->run(typename MakePlaces<sizeof...(A)>::Type());
    }
    template <int... At> static bool fits(const char *kinds, const unsigned *sizes, Places<At...>) {
        bool each[] = {true, Kind<A>::is(kinds[At], sizes[At])...};
        for (bool fits : each) if (!fits) return false;
        return true;
    }
};

// Runs a kernel. 0, or 1 if the arguments are not the kernel's, 2 if threads wait for ever.
template <class... A>
static int emulate(void (*kernel)(A...), bool waits, const unsigned *grid, unsigned count, void **pointers,
                   const char *kinds, const unsigned *sizes) {
    if (count != sizeof...(A)) return 1;
    if (!Launch<A...>::fits(kinds, sizes, typename MakePlaces<sizeof...(A)>::Type())) return 1;
    Launch<A...> launch = {kernel, pointers};
    block.make();
    block->body = Launch<A...>::body;
    block->arguments = &launch;
    gridDim = {grid[0], grid[1]};
    for (blockIdx.y = 0; blockIdx.y < grid[1]; blockIdx.y++) {
        for (blockIdx.x = 0; blockIdx.x < grid[0]; blockIdx.x++) {
            bool backwards = (blockIdx.x + blockIdx.y) % 2 == 1;
            if (waits) {
                if (!run_block(backwards)) return 2;
                continue;
            }
            for (unsigned turn = 0; turn < THREADS; turn++) {
                threadIdx.x = backwards ? THREADS - 1 - turn : turn;
                Launch<A...>::body(&launch);
            }
        }
    }
    return 0;
}
