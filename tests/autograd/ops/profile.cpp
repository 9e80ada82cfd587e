#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/observer.hpp>
#include <autograd/observers/profiler_notes.hpp>
#include <autograd/ops/table/row.hpp>
#include <set>

// The profiler counts every op.
using namespace xgrad;
using namespace xgrad::op_table;

namespace {

struct Names : Observer {
  std::set<std::string_view> seen;
  void op_starts(const OpCall& call) override { seen.insert(call.name); }
};

/// The ops that run in one call of the variant, and in its backward pass.
void run(const Variant& variant) {
  std::mt19937_64 random(7);
  Tensors inputs;
  for (std::size_t i = 0; i < variant.domains.size(); ++i) {
    const Domain& domain = variant.domains[i];
    const Shape& shape = variant.shapes[0][i];
    Tensor t = from_values(domain.draw(random, shape), shape).to(domain.dtype).clone();
    inputs.push_back(is_floating(t.dtype()) ? t.set_requires_grad(true) : t);
  }
  if (const Tensor y = variant.f(inputs); y.requires_grad()) y.backward(ones(y.shape(), {.dtype = y.dtype()}));
}

}  // namespace

TEST_CASE("every name by which the profiler counts operations is an op's") {
  Names names;
  {
    const Observing observing(names);
    for (const Row& row : all_rows())
      for (const Variant& variant : row.variants) run(variant);
  }
  for (const std::string_view name : product_ops) CHECK_MESSAGE(names.seen.count(name) == 1, name);
  for (const std::string_view name : window_ops) CHECK_MESSAGE(names.seen.count(name) == 1, name);
  for (const std::string_view name : recurrent_ops) CHECK_MESSAGE(names.seen.count(name) == 1, name);
  for (const std::string_view name : attention_ops) CHECK_MESSAGE(names.seen.count(name) == 1, name);
  for (const std::string_view name : moving_ops) CHECK_MESSAGE(names.seen.count(name) == 1, name);
}
