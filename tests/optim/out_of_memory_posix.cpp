#include <doctest/doctest.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>
#include <autograd/autograd.hpp>
#include <fstream>
#include <memory>
#include <nn/nn.hpp>
#include <optim/table.hpp>

#include "sanitized.hpp"
#include "support.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t large = 1 << 20;  // elements, 8 MiB

// So that large blocks that are freed leave no room in the heap for others, which a limit would not see.
[[maybe_unused]] const int large_blocks_are_mapped = mallopt(M_MMAP_THRESHOLD, 1 << 20);

/// What f does if the process may grow by `bytes` only. Whether it threw for lack of memory.
template <class F>
bool runs_out(std::size_t bytes, F f) {
  memory::trim();
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit before{};
  getrlimit(RLIMIT_AS, &before);
  rlimit tight = before;
  tight.rlim_cur = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + bytes;
  setrlimit(RLIMIT_AS, &tight);
  const std::string said = thrown(f);
  setrlimit(RLIMIT_AS, &before);
  return has(said, "out of memory");
}

std::vector<Tensor> fresh_parameters() {
  manual_seed(4);
  std::vector<Tensor> p = {randn({6}, {.dtype = f64, .requires_grad = true}),
                           randn({large}, {.dtype = f64, .requires_grad = true}),
                           randn({3}, {.dtype = f64, .requires_grad = true})};
  for (Tensor& t : p) t.set_grad(randn(t.shape(), {.dtype = f64}));
  return p;
}

}  // namespace

TEST_CASE("a step that runs out of memory changes nothing, and one that is tried again is a first one") {
  if (sanitized) return;  // a sanitizer ends the process instead
  for (const optimizer_table::Row& row : optimizer_table::rows()) {
    const auto make = [&](const std::vector<Tensor>& p) { return row.variants.back().make(p, Place::here()); };
    const std::vector<Tensor> p = fresh_parameters(), q = fresh_parameters();
    const auto optimizer = make(p), other = make(q);
    for (const std::size_t room : {std::size_t{2} << 20, std::size_t{21} << 20}) {  // for no moment, and not for all
      const bool failed = runs_out(room, [&] { optimizer->step(); });
      CHECK((failed || room > large * 8));
      if (!failed) break;
      CHECK(same_bits(p, q));
      CHECK(same_bits(optimizer->state_dict(), other->state_dict()));
      CHECK(p[0].array().written() == 0);
    }
    const bool stepped = optimizer->state_dict().at("parameter.0.steps").item<int>() == 1;
    if (!stepped) optimizer->step();
    other->step();
    CHECK(same_bits(p, q));
    CHECK(same_bits(optimizer->state_dict(), other->state_dict()));
  }
}

TEST_CASE("a state that there is no memory for changes nothing") {
  if (sanitized) return;
  for (const optimizer_table::Row& row : optimizer_table::rows()) {
    const auto make = [&](const std::vector<Tensor>& p) { return row.variants.back().make(p, Place::here()); };
    const std::vector<Tensor> p = fresh_parameters();
    const auto optimizer = make(p);
    optimizer->step();
    const StateDict state = optimizer->state_dict();
    optimizer->set_lr(.25);
    optimizer->step();
    const StateDict before = optimizer->state_dict();
    CHECK(runs_out(2 << 20, [&] { optimizer->load_state_dict(state); }));
    CHECK(same_bits(optimizer->state_dict(), before));
    optimizer->load_state_dict(state);
    CHECK(same_bits(optimizer->state_dict(), state));
  }

  nn::Sequential model{nn::Dense{4, 2}, nn::Dense{2, large / 2}, nn::Dense{large / 2, 1}};
  const StateDict before = model.state_dict();
  StateDict wide;
  for (const auto& [name, t] : before) wide.set(name, (t + 1).to(f64));
  CHECK(runs_out(2 << 20, [&] { model.load_state_dict(wide, {.convert_dtype = true}); }));
  CHECK(same_bits(model.state_dict(), before));
}

TEST_CASE("a pass that has no memory for all gradients stores none") {
  if (sanitized) return;
  const Tensor small = ones({3}, {.requires_grad = true});
  const Tensor a = ones({large, 3}, {.requires_grad = true}), b = ones({large, 3}, {.requires_grad = true});
  const Tensor y = a + b + small, cotangent = ones(y.shape());
  CHECK(runs_out(16 << 20, [&] { y.backward(cotangent, {.retain_graph = true}); }));  // for one of the large ones
  for (const Tensor& t : {small, a, b}) CHECK(!t.has_grad());
  y.backward(cotangent);
  for (const Tensor& t : {a, b}) CHECK(same_bits(t.grad(), cotangent));
}

TEST_CASE("gradients that there is no memory to clip stay as they are") {
  if (sanitized) return;
  std::vector<Tensor> p;
  for (int i = 0; i < 60'000; ++i) {
    p.push_back(ones({1}, {.requires_grad = true}));
    p.back().set_grad(ones({1}));
  }
  CHECK(runs_out(1 << 20, [&] { (void)optim::clip_grad_norm(p, 1); }));
  for (const Tensor& t : p) REQUIRE(t.grad().item<float>() == 1);
}
