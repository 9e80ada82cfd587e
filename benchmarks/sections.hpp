#pragma once
#include "harness.hpp"

/// What `bench` measures, in the order of its table (benchmarks/main.cpp).
namespace bench {

void compile_time(Run& run);
void engine(Run& run);
void reference_network(Run& run);
void classifier(Run& run);
void lenet(Run& run);
void sequences(Run& run);
void converged(Run& run);
void small_ops(Run& run);
void kernels_beside_copies(Run& run);
void functions_in_cache(Run& run);
void matrix_products(Run& run);
void threads(Run& run);

}  // namespace bench
