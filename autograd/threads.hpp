#pragma once

namespace xgrad {

/// How many threads large work is spread over, matrix products and all other kernels alike, in the whole process;
/// throws ValueError unless n >= 1. At first it is the number in the environment variable OMP_NUM_THREADS, or that of
/// the processors. Work of less than about 40 us stays in the thread that asks for it.
///
/// The number of threads changes no bit of any result: how work is split follows from the shapes alone.
void set_num_threads(int n);
int num_threads();

}  // namespace xgrad
