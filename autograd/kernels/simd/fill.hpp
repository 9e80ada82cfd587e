#pragma once
#include <autograd/kernels/table.hpp>

/// Each source in this folder fills its part of one instruction set's table. XGRAD_ISA names the set and is the
/// innermost namespace, so that three compilations of one source can be linked together. These sources use no
/// function of the standard library that is not always inlined (no containers, no algorithms): the linker keeps one
/// copy of such a function for the whole program, and it could be the one that needs AVX-512.
namespace xgrad::kernels::XGRAD_ISA {

void fill_unary(Table& t);
void fill_unary_contracted(Table& t);
void fill_binary(Table& t);
void fill_binary_contracted(Table& t);
void fill_predicates(Table& t);
void fill_compare(Table& t);
void fill_bits(Table& t);
void fill_casts(Table& t);
void fill_select(Table& t);
void fill_copy(Table& t);
void fill_reduce(Table& t);
void fill_variance(Table& t);
void fill_softmax(Table& t);
void fill_logsumexp(Table& t);
void fill_random(Table& t);
void fill_optimisers(Table& t);
void fill_gemm(Table& t);
void fill_convolution(Table& t);
void fill_wide_convolution(Table& t);
void fill_pooling(Table& t);
void fill_standardise(Table& t);
void fill_recurrent(Table& t);
void fill_attention(Table& t);

/// The table that is filled, for kernels that are made of others.
const Table& table();

}  // namespace xgrad::kernels::XGRAD_ISA
