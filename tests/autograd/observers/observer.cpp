#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/observers/replay.hpp>
#include <autograd/primitive.hpp>
#include <autograd/trace.hpp>
#include <nn/nn.hpp>

using namespace xgrad;

namespace {

/// Writes down what it is told.
struct Log : Observer {
  std::string words;
  void op_starts(const OpCall& call) override { words += text(call.name, "("); }
  void op_ends(const OpCall&, const Tensor& result) override { words += result.defined() ? ") " : "!) "; }
  void vjp_starts(const Node& node, const Edge& edge, const Tensor&) override {
    words += text(node.name, "'", edge.argument, "[");
  }
  void vjp_ends(const Node&, const Edge&, Tensor& result) override { words += result.defined() ? "] " : "!] "; }
};

}  // namespace

TEST_CASE("an observer is told of every op and every vjp, and of the ops within") {
  const Tensor x = tensor({1., 2.}, {.requires_grad = true});
  Log log;
  {
    const Observing observing(log);
    sum(x * x).backward();
  }
  CHECK(log.words == "multiply() sum() sum'0[broadcast_to() ] multiply'0[multiply() ] multiply'1[multiply() ] ");
  log.words.clear();
  sum(x * x).backward();
  CHECK(log.words.empty());
}

TEST_CASE("ops without a derivative are observed too") {
  Log log;
  const Observing observing(log);
  const Tensor x = tensor({1., 2.});
  (void)(x < 2);
  (void)isnan(x);
  (void)argmax(x, 0);
  (void)x.to(i64);
  (void)concatenate({x, x}, 0);
  CHECK(log.words == "less() isnan() argmax() to() concatenate() ");
}

TEST_CASE("an op or a rule that throws has ended, without a result") {
  Log log;
  const Observing observing(log);
  const Tensor x = tensor({1., 2.}, {.requires_grad = true});
  struct Mine {};
  CHECK_THROWS_AS((void)primitive(
                      "bad", {x}, []() -> Array { throw Mine(); }, zero_rule),
                  Mine);
  const Tensor y = primitive(
      "bad", {x}, [&] { return x.array(); }, [](const Tensor&) -> Tensor { throw Mine(); });
  CHECK_THROWS_AS(y.backward(ones({2})), Mine);
  CHECK(log.words == "bad(!) bad() bad'0[!] ");
}

TEST_CASE("several observers are told, the innermost first, and what they compute is not observed") {
  struct Busy : Log {
    void op_starts(const OpCall& call) override {
      Log::op_starts(call);
      (void)(tensor(1.) + 1);
    }
  } outer, inner;
  const Observing first(outer);
  const Observing second(inner);
  (void)exp(tensor(1.));
  CHECK(outer.words == "exp() ");
  CHECK(inner.words == "exp() ");
}

TEST_CASE("an observer may replace a result before it is recorded, and a cotangent on its way") {
  struct Replacing : Observer {
    void op_computed(const OpCall&, Array& result) override { result = Tensor(full(result.shape(), 5)).array(); }
    void vjp_ends(const Node&, const Edge&, Tensor& result) override { result = result * 3; }
  } replacing;
  const Tensor x = tensor(2., {.requires_grad = true});
  Tensor y;
  {
    const Observing observing(replacing);
    y = exp(x);
    y.backward();
  }
  CHECK(y.item<double>() == 5);
  CHECK(x.grad().item<double>() == 15);
}

TEST_CASE("a trace knows where each input came from, its line and its module") {
  const Tensor x = tensor({{1., 2.}}, {.requires_grad = true});
  nn::Sequential model{nn::Dense{2, 3}, nn::ReLU{}};
  Trace trace;
  const Tensor h = model(x);
  const int line = __LINE__ - 1;
  const Tensor y = h * 2 + h.detach();
  const auto& ops = trace.ops();
  REQUIRE(ops.size() == 4);
  CHECK(ops[0].name == std::string("dense"));
  CHECK(ops[0].path == "model[0] (Dense 2 -> 3)");
  CHECK(ops[0].place.line == line);
  CHECK(ops[0].inputs.size() == 3);
  CHECK(ops[0].inputs[0].tensor.same(x));
  CHECK(ops[0].inputs[0].from == -1);
  CHECK(ops[1].name == std::string("relu"));
  CHECK(ops[1].inputs[0].from == 0);
  CHECK(ops[2].inputs[0].from == 1);
  CHECK_FALSE(ops[2].inputs[1].tensor.defined());
  CHECK(ops[2].inputs[1].number.real() == 2);
  CHECK(ops[3].inputs[0].from == 2);
  CHECK(ops[3].inputs[1].from == 1);
  CHECK(ops[3].inputs[1].cut);
  CHECK_FALSE(ops[3].inputs[0].cut);
  CHECK(trace.maker_of(y) == 3);
  CHECK(trace.maker_of(x) == -1);
}

TEST_CASE("a trace knows an op that runs inside another, or inside a rule") {
  const Tensor x = tensor({1., 2., 4.}, {.requires_grad = true});
  Trace trace;
  variance(x, {0}).backward();
  bool inside = false, in_vjp = false;
  for (const TracedOp& op : trace.ops()) {
    inside |= op.outer >= 0 && trace.ops()[static_cast<std::size_t>(op.outer)].name == std::string("variance");
    in_vjp |= op.in_vjp;
  }
  CHECK(inside);
  CHECK(in_vjp);
}

TEST_CASE("a traced program runs again with some results given, and shows what its ops make of them") {
  const Tensor x = tensor({1., 2.}, {.dtype = f64, .requires_grad = true});
  const auto program = [&] { return sum(square(x) * 3); };
  const std::vector<TracedOp> traced = [&] {
    const Trace trace;
    (void)program();
    return trace.ops();
  }();
  const std::vector<const TracedOp*> ops = detail::outermost(traced);
  REQUIRE(ops.size() == 3);
  const Array moved = tensor({10., 20.}, {.dtype = f64}).array();
  detail::Replay replay(ops);
  replay.given[0] = &moved;
  std::vector<double> seen;
  replay.sees = [&](std::size_t, const Array& computed) { seen.push_back(*computed.data<double>()); };
  {
    const Observing observing(replay);
    CHECK(program().item<double>() == 90);
  }
  CHECK(seen == std::vector<double>{1, 30, 90});  // square computes from x itself
  CHECK(replay.difference() == "");
  {
    detail::Replay other(ops);
    const Observing observing(other);
    (void)exp(square(x));
    CHECK(other.difference() == "exp where it had run multiply");
  }
  {
    const detail::MovedInput input(x.array(), moved);
    CHECK(program().item<double>() == 1500);
  }
  CHECK(program().item<double>() == 15);
}
