#include <doctest/doctest.h>
#include <algorithm>
#include <autograd/capture.hpp>
#include <autograd/checkpoint.hpp>
#include <autograd/functional.hpp>
#include <autograd/linalg.hpp>
#include <autograd/node.hpp>
#include <autograd/ops/table/declared.hpp>
#include <autograd/ops/table/row.hpp>
#include <autograd/trace.hpp>
#include <support.hpp>

// Errors of ops name the user's line.
using namespace xgrad;

namespace {

/// An op of ops.hpp given nothing but C++ numbers, and the line where that stands.
struct Call {
  std::string op;
  int line;
  void (*run)();
};
#define CALL(op, ...)                                    \
  Call {                                                 \
    op, __LINE__, [] { static_cast<void>(__VA_ARGS__); } \
  }
#define UNARY(op) CALL(#op, xgrad::op(2.))
#define BINARY(op) CALL(#op, xgrad::op(2., 3.))

std::vector<Call> calls() {
  return {
      BINARY(operator+),
      BINARY(operator-),
      BINARY(operator*),
      BINARY(operator/),
      CALL("operator- (unary)", xgrad::operator-(2.)),
      BINARY(pow),
      CALL("pow", xgrad::pow(2., 2)),
      UNARY(square),
      UNARY(abs),
      UNARY(sign),
      UNARY(sqrt),
      UNARY(rsqrt),
      UNARY(reciprocal),
      BINARY(hypot),
      CALL("lerp", lerp(2., 3., .5)),
      BINARY(floor_divide),
      BINARY(remainder),
      BINARY(operator%),
      BINARY(fmod),
      BINARY(operator&),
      BINARY(operator|),
      BINARY(operator^),
      CALL("operator~ (unary)", xgrad::operator~(2)),
      UNARY(exp2),
      UNARY(log2),
      UNARY(log10),
      BINARY(logaddexp),
      BINARY(xlogy),
      UNARY(asinh),
      UNARY(acosh),
      UNARY(atanh),
      UNARY(sinc),
      UNARY(erfinv),
      UNARY(lgamma),
      UNARY(digamma),
      CALL("polygamma", polygamma(1, 2.)),
      BINARY(logical_xor),
      UNARY(nan_to_num),
      UNARY(nansum),
      UNARY(nanmean),
      CALL("cosine_similarity", cosine_similarity(2., 3.)),
      UNARY(normalize),
      CALL("cdist", cdist(2., 3.)),
      CALL("cross", cross(2., 3.)),
      UNARY(celu),
      BINARY(prelu),
      CALL("gelu", gelu(2., {.tanh = true})),
      UNARY(hardtanh),
      UNARY(relu6),
      UNARY(hardsigmoid),
      UNARY(hardswish),
      UNARY(mish),
      CALL("softplus", softplus(2., 3)),
      UNARY(softmin),
      UNARY(glu),
      UNARY(floor),
      UNARY(ceil),
      UNARY(round),
      UNARY(exp),
      UNARY(expm1),
      UNARY(log),
      UNARY(log1p),
      UNARY(sin),
      UNARY(cos),
      UNARY(tan),
      UNARY(asin),
      UNARY(acos),
      UNARY(atan),
      BINARY(atan2),
      UNARY(sinh),
      UNARY(cosh),
      UNARY(tanh),
      UNARY(erf),
      UNARY(erfc),
      BINARY(operator==),
      BINARY(operator!=),
      BINARY(operator<),
      BINARY(operator<=),
      BINARY(operator>),
      BINARY(operator>=),
      BINARY(logical_and),
      BINARY(logical_or),
      UNARY(logical_not),
      UNARY(isnan),
      UNARY(isfinite),
      CALL("where", where(true, 2., 3.)),
      BINARY(minimum),
      BINARY(maximum),
      CALL("clamp", clamp(2., 0, 1)),
      UNARY(sum),
      UNARY(mean),
      UNARY(prod),
      UNARY(max),
      UNARY(min),
      UNARY(logsumexp),
      UNARY(all),
      UNARY(any),
      UNARY(variance),
      UNARY(stddev),
      UNARY(norm),
      CALL("layer_norm", layer_norm(2., {1})),
      CALL("rms_norm", rms_norm(2., {1})),
      CALL("group_norm", group_norm(2., 1)),
      CALL("batch_norm", batch_norm(2.)),
      CALL("scaled_dot_product_attention", scaled_dot_product_attention(2., 3., 4.)),
      CALL("sequence_mask", sequence_mask(2., 3)),
      CALL("rnn", rnn(2., {})),
      CALL("gru", gru(2., {})),
      CALL("lstm", lstm(2., {})),
      CALL("argmax", argmax(2., 0)),
      CALL("argmin", argmin(2., 0)),
      UNARY(argmax),
      UNARY(argmin),
      UNARY(sort),
      CALL("topk", topk(2., 1)),
      CALL("cumsum", cumsum(2., 0)),
      CALL("cumprod", cumprod(2., 0)),
      CALL("cummax", cummax(2., 0)),
      CALL("cummin", cummin(2., 0)),
      CALL("diff", diff(2.)),
      CALL("quantile", quantile(2., .5)),
      CALL("median", median(2.)),
      BINARY(searchsorted),
      BINARY(matmul),
      BINARY(dot),
      BINARY(outer),
      BINARY(dense),
      BINARY(conv),
      BINARY(conv_transpose),
      CALL("max_pool", max_pool(2., {1})),
      CALL("avg_pool", avg_pool(2., {1})),
      CALL("adaptive_avg_pool", adaptive_avg_pool(2., {1})),
      CALL("interpolate", interpolate(2., {})),
      UNARY(transpose),
      CALL("permute", permute(2., {0})),
      CALL("reshape", reshape(2., {1})),
      UNARY(flatten),
      CALL("squeeze", squeeze(2., 0)),
      CALL("unsqueeze", unsqueeze(2., 0)),
      CALL("broadcast_to", broadcast_to(2., {3})),
      CALL("sum_to", sum_to(2., {1})),
      CALL("split", split(2., 1)),
      CALL("slice", slice(2., 0, 0, 1)),
      CALL("select", select(2., 0, 0)),
      CALL("unbind", unbind(2., 0)),
      CALL("pad", pad(2., {{1, 1}})),
      CALL("flip", flip(2., {0})),
      CALL("roll", roll(2., 1, 0)),
      CALL("unfold", unfold(2., 0, 1)),
      CALL("pad", pad(2., {{1, 1}}, PadMode::reflect)),
      CALL("repeat_interleave", repeat_interleave(2., 3, 0)),
      CALL("tril", tril(2.)),
      CALL("triu", triu(2.)),
      CALL("diagonal", diagonal(2.)),
      CALL("diag", diag(2.)),
      CALL("trace", trace(2.)),
      CALL("swap_axes", swap_axes(2., 0, 1)),
      CALL("tile", tile(2., {2})),
      CALL("gather", gather(2., 0, 0)),
      CALL("take", take(2., 0)),
      CALL("index_add", index_add(2., 0, 0, 3.)),
      CALL("scatter_add", scatter_add(2., 0, 0, 3.)),
      CALL("index_put", index_put(2., {}, 3.)),
      CALL("nonzero", nonzero(2.)),
      CALL("masked_select", masked_select(2., true)),
      CALL("embedding", embedding(2., 0)),
      CALL("one_hot", one_hot(2., 3)),
      UNARY(sigmoid),
      UNARY(relu),
      UNARY(leaky_relu),
      UNARY(elu),
      UNARY(selu),
      UNARY(gelu),
      UNARY(silu),
      UNARY(softsign),
      UNARY(softplus),
      UNARY(log_sigmoid),
      UNARY(softmax),
      UNARY(log_softmax),
      UNARY(centre),
      BINARY(relu_grad),
      BINARY(bce_with_logits),
      CALL("masked_scale", masked_scale(2., ones({1}) > 0, 2)),
      CALL("linalg::cholesky", linalg::cholesky(2.)),
      CALL("linalg::solve", linalg::solve(2., 3.)),
      CALL("linalg::solve_triangular", linalg::solve_triangular(2., 3.)),
      CALL("linalg::inv", linalg::inv(2.)),
      CALL("linalg::det", linalg::det(2.)),
      CALL("linalg::slogdet", linalg::slogdet(2.)),
      CALL("linalg::qr", linalg::qr(2.)),
      CALL("linalg::eigh", linalg::eigh(2.)),
      CALL("linalg::svd", linalg::svd(2.)),
      CALL("linalg::pinv", linalg::pinv(2.)),
      CALL("linalg::lstsq", linalg::lstsq(2., 3.)),
      CALL("linalg::matrix_power", linalg::matrix_power(2., 3)),
  };
}

}  // namespace

TEST_CASE("every op of plain numbers says so, with the line") {
  for (const Call& call : calls()) {
    CAPTURE(call.op);
    const std::string told = thrown<ValueError>(call.run);
    CAPTURE(told);
    CHECK(told.starts_with(text(__FILE__, ":", call.line, ": ")));
    CHECK((has(told, "the argument is a plain number; ") || has(told, "an argument is a plain number; ") ||
           has(told, "all arguments are plain numbers; ")));
  }
}

TEST_CASE("no op that takes numbers is left out") {
  const std::vector<Call> all = calls();
  for (const std::string& op : op_table::declared_ops(op_table::op_headers(), "const Operand&"))
    CHECK_MESSAGE(std::any_of(all.begin(), all.end(), [&](const Call& call) { return call.op == op; }), op,
                  " is given no numbers here");
}

TEST_CASE("every op, and every op that it is made of, names the line of the caller") {
  using namespace op_table;
  std::mt19937_64 random(7);
  long ops = 0;
  for (const Row& row : all_rows())
    for (const Variant& variant : row.variants) {
      CAPTURE(row.op);
      const std::vector<Shape>& shapes = variant.shapes.back();
      Tensors x;
      for (std::size_t i = 0; i < shapes.size(); ++i)
        x.push_back(from_values(variant.domains[i].draw(random, shapes[i]), shapes[i]).to(variant.domains[i].dtype));
      const Trace trace;
      variant.f(x);
      if (row.op == "operator! (unary)") continue;  // which is told no line
      for (const TracedOp& op : trace.ops()) {
        CAPTURE(op.name);
        CHECK_MESSAGE(std::string_view(op.place.file).find("tests/autograd/ops/table/") != std::string_view::npos,
                      op.place.file);
        ++ops;
      }
    }
  CHECK(ops > 100);
}

TEST_CASE("an op that is handed to a transform is recorded with the line of the transform") {
  const Tensor x = ones({3}, {.requires_grad = true});
  const Trace trace;
  constexpr int line = __LINE__ + 1;
  const Tensor first = vjp(square, x).value, again = checkpoint(square, x), captured = capture(square)(x);
  int squares = 0;
  for (const TracedOp& op : trace.ops()) {
    CHECK(text(op.place.file, ":", op.place.line) == text(__FILE__, ":", line));
    squares += std::string_view(op.name) == "square";
  }
  CHECK(squares == 3);
  CHECK(text(first.node()->file, ":", first.node()->line) == text(__FILE__, ":", line));
}
