#pragma once

namespace xgrad {

/// How many threads the matrix products that the calling thread starts may use; throws ValueError unless n >= 1. All
/// other work is done by the thread that asks for it.
///
/// With equal numbers of threads equal programs give equal bits. With different ones only f32 products may differ,
/// because the sum over the inner dimension k may be split: by at most k 2^-23 (|A| |B|), element by element, and in
/// practice by less than two units in the last place of |A| |B|. The losses of a small network's first hundred training
/// steps then agree to 1e-5, relative.
void set_num_threads(int n);
int num_threads();

}  // namespace xgrad
