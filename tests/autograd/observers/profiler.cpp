#include <doctest/doctest.h>
#include <autograd/atomic_file.hpp>
#include <autograd/autograd.hpp>
#include <autograd/primitive.hpp>
#include <autograd/profiler.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <thread>

#include "folder.hpp"

using namespace xgrad;
using Part = ProfileRow::Part;

namespace {

struct Training {
  nn::Sequential model{nn::Dense{6, 5}, nn::ReLU{}, nn::Dense{5, 1}};
  optim::Adam optimizer{model.parameters(), {.lr = 1e-3}};
  Tensor x = rand({7, 6}), t = rand({7, 1});
  void step() {
    const Tensor loss = nn::mse_loss(model(x), t);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
};

ProfileRow row(const std::vector<ProfileRow>& rows, Part part, const std::string& name) {
  for (const ProfileRow& r : rows)
    if (r.part == part && r.name == name) return r;
  return {};
}

Tensor sleepy(const Tensor& x, int milliseconds) {
  const auto sleep = [=] { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); };
  return primitive(
      "sleepy", {x},
      [&] {
        sleep();
        return x.array().clone();
      },
      [=](const Tensor& g) {
        sleep();
        return g * 2;
      });
}

}  // namespace

TEST_CASE("a profile counts calls, bytes and operations, with forward, backward and optimiser apart") {
  Training training;
  Profiler profiler;
  for (int i = 0; i < 3; ++i) training.step();
  const auto ops = profiler.ops();
  const ProfileRow dense = row(ops, Part::forward, "dense");
  CHECK(dense.calls == 6);
  CHECK(dense.bytes == 3 * 4 * (7 * 5 + 7 * 1));
  CHECK(dense.flops == 3 * ((2 * 7 * 6 * 5 + 7 * 5) + (2 * 7 * 5 + 7)));
  CHECK(row(ops, Part::forward, "relu").flops == 3 * 7 * 5);
  // x needs no gradient, so the first layer has a rule less.
  CHECK(row(ops, Part::backward, "dense vjp").calls == 3 * 5);
  CHECK(row(ops, Part::backward, "matmul").flops == 3 * (2 * 7 * 6 * 5 + 2 * (2 * 7 * 5)));
  CHECK(row(ops, Part::backward, "backward").calls == 3);
  CHECK(row(ops, Part::optimizer, "Adam").calls == 3);
  CHECK(row(ops, Part::optimizer, "Adam").total > 0);
}

TEST_CASE("a profile has a row for each module, in each part") {
  Training training;
  Profiler profiler;
  training.step();
  const auto modules = profiler.modules();
  const ProfileRow first = row(modules, Part::forward, "model[0] (Dense 6 -> 5)");
  CHECK(first.calls == 1);
  CHECK(first.flops == 2 * 7 * 6 * 5 + 7 * 5);
  CHECK(row(modules, Part::backward, "model[0] (Dense 6 -> 5)").flops > 2 * 7 * 6 * 5);
  CHECK(row(modules, Part::backward, "model[1] (ReLU)").calls == 2);  // the rule, and the op in it
  CHECK(row(modules, Part::optimizer, "-").calls == 1);
}

TEST_CASE("times are those of the ops; self times exclude what runs inside, and add up to the whole") {
  const Tensor x = tensor({1., 2.}, {.requires_grad = true});
  Profiler profiler;
  const auto start = std::chrono::steady_clock::now();
  sum(sleepy(x, 20)).backward();
  const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - start;
  const auto ops = profiler.ops();
  CHECK(row(ops, Part::forward, "sleepy").self >= 0.02);
  const ProfileRow rule = row(ops, Part::backward, "sleepy vjp"), pass = row(ops, Part::backward, "backward");
  CHECK(rule.self >= 0.02);
  CHECK(rule.total >= rule.self + row(ops, Part::backward, "multiply").self);
  CHECK(pass.total >= rule.total);
  CHECK(pass.self < 0.015);
  double sum = 0;
  for (const ProfileRow& r : ops) sum += r.self;
  CHECK(sum >= 0.04);
  CHECK(sum <= whole.count());
  CHECK(ops[0].name == "sleepy");
}

TEST_CASE("an op that works by others counts their bytes and operations once") {
  const Tensor x = rand({10});
  Profiler profiler;
  (void)primitive(
      "outer_op", {x}, [&] { return (x * x + 1).array(); }, not_differentiable);
  const auto ops = profiler.ops();
  CHECK(row(ops, Part::forward, "outer_op").flops == 20);
  CHECK(row(ops, Part::forward, "outer_op").bytes == 80);
  const ProfileRow all = row(profiler.modules(), Part::forward, "-");
  CHECK(all.flops == 20);
  CHECK(all.bytes == 80);
}

TEST_CASE("matrix products count two operations for each term, moved numbers none") {
  Profiler profiler;
  (void)matmul(rand({3, 4, 5}), rand({3, 5, 6}));
  CHECK(row(profiler.ops(), Part::forward, "matmul").flops == 3 * 2 * 4 * 5 * 6);
  (void)matmul(rand({5}), rand({5, 6}));
  CHECK(row(profiler.ops(), Part::forward, "matmul").flops == 3 * 2 * 4 * 5 * 6 + 2 * 5 * 6);
  const Tensor x = rand({4, 5});
  (void)reshape(x, Shape{20});
  (void)transpose(x);
  CHECK(row(profiler.ops(), Part::forward, "reshape").flops == 0);
  CHECK(row(profiler.ops(), Part::forward, "reshape").bytes == 0);
  CHECK(row(profiler.ops(), Part::forward, "permute").calls == 1);
  CHECK(row(profiler.ops(), Part::forward, "permute").flops == 0);
}

TEST_CASE("the tables show every row") {
  Training training;
  Profiler profiler;
  training.step();
  const std::string s = profiler.str();
  for (const char* const words : {"op ", "calls", "self %", "forward", "  dense ", "  dense vjp", "  backward",
                                  "optimizer", "  Adam", "module", "  model[2] (Dense 5 -> 1)"})
    CHECK_MESSAGE(s.find(words) != std::string::npos, words);
  CHECK(Profiler().str().find("calls") != std::string::npos);
}

TEST_CASE("a trace is JSON that Chrome reads: complete events that nest") {
  Training training;
  const Folder folder;
  Profiler profiler;
  for (int i = 0; i < 2; ++i) training.step();
  profiler.write_chrome_trace(folder / "trace.json");
  const auto json = nlohmann::json::parse(read_file(folder / "trace.json"));
  struct Span {
    double start, end;
  };
  std::vector<Span> spans;
  bool found = false;
  for (const auto& event : json["traceEvents"]) {
    CHECK(event["ph"] == "X");
    const double start = event["ts"], seconds = event["dur"];
    CHECK(start >= 0);
    CHECK(seconds >= 0);
    spans.push_back({start, start + seconds});
    if (event["name"] == "dense vjp" && event["args"]["module"] == "model[0] (Dense 6 -> 5)") {
      found = true;
      CHECK(event["cat"] == "backward");
      CHECK(event["args"]["line"].get<std::string>().find("profiler.cpp:") != std::string::npos);
    }
  }
  CHECK(found);
  CHECK(spans.size() > 20);
  const double rounding = 1e-3;  // us
  for (const Span& a : spans)
    for (const Span& b : spans)
      CHECK((a.end <= b.start + rounding || b.end <= a.start + rounding ||
             (a.start <= b.start + rounding && b.end <= a.end + rounding) ||
             (b.start <= a.start + rounding && a.end <= b.end + rounding)));
  CHECK_THROWS_AS(profiler.write_chrome_trace(folder / "missing/trace.json"), FileError);
}

TEST_CASE("exceptions leave a profiler in order, and one that began or ended within an op does not mind") {
  const Tensor x = tensor({1., 2.}, {.requires_grad = true});
  Profiler profiler;
  struct Mine {};
  const Tensor y = primitive(
      "bad", {x}, [&] { return x.array(); }, [](const Tensor&) -> Tensor { throw Mine(); });
  CHECK_THROWS_AS(sum(y).backward(), Mine);
  CHECK_THROWS_AS((void)primitive(
                      "worse", {x}, []() -> Array { throw Mine(); }, zero_rule),
                  Mine);
  std::unique_ptr<Profiler> inner;
  (void)primitive(
      "begins", {x},
      [&] {
        inner = std::make_unique<Profiler>();
        return (x + 1).array();
      },
      zero_rule);
  CHECK(row(inner->ops(), Part::forward, "add").calls == 1);
  CHECK(row(inner->ops(), Part::forward, "begins").calls == 0);
  inner.reset();
  (void)exp(x);
  CHECK(row(profiler.ops(), Part::forward, "exp").calls == 1);
  CHECK(row(profiler.ops(), Part::backward, "bad vjp").calls == 1);
}

TEST_CASE("captured steps are simply run while a profiler watches, and go on being replayed afterwards") {
  Training training;
  auto step = capture([&] { training.step(); });
  step();
  step();
  {
    Profiler profiler;
    step();
    CHECK(row(profiler.ops(), Part::forward, "dense").calls == 2);
    CHECK(row(profiler.ops(), Part::optimizer, "Adam").calls == 1);
  }
  step();
  CHECK(step.recordings() == 1);
}
