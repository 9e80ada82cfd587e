#include <doctest/doctest.h>
#include <array>
#include <autograd/autograd.hpp>
#include <autograd/capture.hpp>
#include <deque>
#include <optional>

#include "support.hpp"

using namespace xgrad;

namespace {

/// A step that carries something from one call to the next.
template <class Step>
void check_refused(const std::string& op, int after, Step make, int line = __builtin_LINE()) {
  auto step = capture(make(0));
  auto plain = make(1);
  const Tensor x = tensor({1.});
  for (int call = 0; call < after; ++call) CHECK(same_bits(step(x), plain(x)));
  const std::string said = error_of([&] { step(x); }), file = "state.cpp:";
  CAPTURE(said);
  REQUIRE(said.starts_with(file));
  CHECK(std::abs(std::atoi(said.c_str() + file.size()) - line) < 8);
  CHECK(said.find(": " + op + ": capture: the tensor that is read here, f32 (1,), ") != std::string::npos);
  CHECK(said.find(after == 0 ? "has been replaced or let go of by the captured function"
                             : "is another one in each call of the captured function") != std::string::npos);
}

}  // namespace

TEST_CASE("a captured function that replaces a tensor which it reads is refused, at the line that reads it") {
  Tensor k = zeros({1});
  auto step = capture([&](const Tensor& x) {
    k = k + x;
    return k * 1;
  });
  const int line = __LINE__ - 3;
  CHECK(error_of([&] { step(tensor({1.})); }) ==
        text("state.cpp:", line,
             ": add: capture: the tensor that is read here, f32 (1,), has been replaced or let go of by the captured "
             "function, and replays would go on reading it; overwrite its numbers, as in k.assign(k + x) under NoGrad, "
             "or pass it as an argument and return the new one"));
  CHECK(step.recordings() == 0);

  Tensor assigned = zeros({1});
  auto by_assign = capture([&](const Tensor& x) {
    assigned.assign(assigned + x);
    return assigned * 1;
  });
  auto passed_on = capture([](const Tensor& state, const Tensor& x) { return state + x; });
  Tensor state = zeros({1});
  for (int call = 1; call <= 5; ++call) {
    CHECK(by_assign(tensor({1.})).item<double>() == call);
    state = passed_on(state, tensor({1.}));
    CHECK(state.item<double>() == call);
  }
  CHECK(by_assign.recordings() == 1);
}

TEST_CASE("so are states in vectors and structs, recurrent ones, averages, moved and popped tensors") {
  std::array<std::vector<Tensor>, 2> states;
  for (auto& s : states) s = {zeros({1}), ones({1})};
  check_refused("multiply", 0, [&](std::size_t i) {
    return [&s = states[i]](const Tensor& x) {
      for (Tensor& t : s) t = t * 0.9 + x;
      return s[0] + s[1];
    };
  });

  struct Cell {
    Tensor h = zeros({1}), w = ones({1});
    Tensor operator()(const Tensor& x) { return h = tanh(x + w * h); }
  };
  check_refused("multiply", 0, [](std::size_t) { return Cell(); });

  std::array<Tensor, 2> moved = {ones({1}), ones({1})};
  check_refused("add", 0, [&](std::size_t i) {
    return [&k = moved[i]](const Tensor& x) {
      const Tensor old = std::move(k);
      return k = old + x;
    };
  });

  std::array<std::deque<Tensor>, 2> queues;
  for (auto& q : queues)
    for (int i = 0; i < 5; ++i) q.push_back(tensor({double(i)}));
  check_refused("multiply", 0, [&](std::size_t i) {
    return [&q = queues[i]](const Tensor& x) {
      const Tensor batch = q.front();
      q.pop_front();
      return batch * x;
    };
  });

  std::array<Tensor, 2> weights;
  for (Tensor& w : weights) w = ones({1}, {.requires_grad = true});
  check_refused("multiply", 0, [&](std::size_t i) {
    return [&w = weights[i]](const Tensor& x) {
      const Tensor loss = sum(square(w * x - 3));
      w = (w.detach() - 0.1 * grad(loss, {w})[0]).set_requires_grad(true);
      return loss.detach();
    };
  });
}

TEST_CASE("a replaced tensor that somebody else still holds is noticed when the function is run again") {
  std::array<Tensor, 2> k = {zeros({1}), zeros({1})};
  const auto first = k;
  // The second run lets go of what the first one made.
  auto held = capture([&](const Tensor& x) {
    k[0] = k[0] + x;
    return k[0] * 1;
  });
  CHECK(held(tensor({1.})).item<double>() == 1);
  CHECK(error_of([&] { held(tensor({1.})); }).find("add: capture: the tensor that is read here, f32 (1,), has been") !=
        std::string::npos);

  // Not defined at first.
  std::optional<Tensor> average;
  auto averaged = capture([&](const Tensor& x) {
    average = average ? *average * 0.5 + x : x * 1;
    return *average * 1;
  });
  CHECK(averaged(tensor({1.})).item<double>() == 1);
  CHECK(error_of([&] { averaged(tensor({1.})); }).find("has been replaced or let go of") != std::string::npos);

  std::array<std::array<Tensor, 2>, 2> buffers;
  for (auto& pair : buffers) pair = {ones({1}), zeros({1})};
  check_refused("add", 2, [&](std::size_t i) {
    return [&b = buffers[i]](const Tensor& x) {
      b[1].assign(b[0] + x);
      std::swap(b[0], b[1]);
      return b[0] * 1;
    };
  });

  std::array<std::array<Tensor, 2>, 2> summands;  // both are read and one is written, in turns
  for (auto& pair : summands) pair = {ones({1}), zeros({1})};
  check_refused("multiply", 2, [&](std::size_t i) {
    return [&b = summands[i]](const Tensor& x) {
      b[1].assign(b[0] * x + b[1]);
      std::swap(b[0], b[1]);
      return b[0] * 1;
    };
  });

  std::vector<Tensor> batches;
  for (int i = 0; i < 5; ++i) batches.push_back(tensor({double(i)}));
  std::array<std::size_t, 2> next = {0, 0};
  check_refused("multiply", 2,
                [&](std::size_t i) { return [&n = next[i], &batches](const Tensor& x) { return batches[n++] * x; }; });
}

TEST_CASE("what a function makes once and keeps, or lets go of without reading it, is replayed") {
  Tensor table, last = zeros({1});
  const Tensor w = tensor({2.});
  int runs = 0;
  auto step = capture([&](const Tensor& x) {
    ++runs;
    if (!table.defined()) table = exp(w);
    last = x * table + tensor({0.5});
    return last * 1;
  });
  for (int call = 0; call < 6; ++call) {
    const Tensor x = tensor({double(call)});
    CHECK(same_bits(step(x), x * exp(w) + 0.5));
  }
  CHECK(runs == 3);
  CHECK(step.recordings() == 1);
}
