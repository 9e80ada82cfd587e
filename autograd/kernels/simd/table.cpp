#include <autograd/kernels/plain.hpp>
#include <autograd/kernels/simd/fill.hpp>

#define XGRAD_STRING_(x) #x
#define XGRAD_STRING(x) XGRAD_STRING_(x)

/// The table of one instruction set.
namespace xgrad::kernels::XGRAD_ISA {

const Table& table() {
  static const Table filled = [] {
    Table t{};
    t.name = XGRAD_STRING(XGRAD_ISA);
    fill_unary(t);
    fill_unary_contracted(t);
    fill_binary(t);
    fill_binary_contracted(t);
    fill_predicates(t);
    fill_compare(t);
    fill_bits(t);
    fill_casts(t);
    fill_select(t);
    fill_copy(t);
    fill_reduce(t);
    fill_variance(t);
    fill_softmax(t);
    fill_logsumexp(t);
    fill_random(t);
    fill_optimisers(t);
    fill_gemm(t);
    fill_convolution(t);
    fill_wide_convolution(t);
    fill_pooling(t);
    fill_standardise(t);
    fill_recurrent(t);
    fill_attention(t);
    fill_indexing(t);
    fill_ordering(t);
    fill_scan(t);
    fill_integer_products(t);
    return t;
  }();
  return filled;
}

}  // namespace xgrad::kernels::XGRAD_ISA
