#pragma once

namespace xgrad {

/// The number of threads that kernels and matrix products may use; throws ValueError unless n >= 1.
void set_num_threads(int n);
int num_threads();

}  // namespace xgrad
