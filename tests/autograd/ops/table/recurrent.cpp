#include <autograd/ops/table/recurrent.hpp>
#include <cmath>

namespace xgrad::op_table {
namespace {

Real sigmoid(Real x) { return 1 / (1 + std::exp(-x)); }

/// For one row and one hidden unit j: the products of the input with the weights, bias included, and of the state.
struct Products {
  std::vector<Real> z, p;
  Products(RecurrentKind kind, const Values& x, const RecurrentParameters& parameters, const Values& h, std::int64_t i,
           std::int64_t t, std::int64_t j) {
    const std::int64_t hidden = parameters.u.shape[0];
    for (std::int64_t k = 0; k < gates_of(kind); ++k) {
      z.push_back(parameters.bias[{k * hidden + j}]);
      p.push_back(0);
      for (std::int64_t f = 0; f < x.shape[2]; ++f) z.back() += x[{i, t, f}] * parameters.w[{f, k * hidden + j}];
      for (std::int64_t f = 0; f < hidden; ++f) p.back() += h[{i, f}] * parameters.u[{f, k * hidden + j}];
    }
  }
};

}  // namespace

RecurrentRun recurrent_run(RecurrentKind kind, const Values& x, const RecurrentParameters& parameters,
                           const RecurrentStart& start, const Values* mask, bool reversed) {
  const std::int64_t n = x.shape[0], steps = x.shape[1], hidden = parameters.u.shape[0];
  Values h = start.h, c = start.c, states(Shape{n, steps, hidden});
  for (std::int64_t s = 0; s < steps; ++s) {
    const std::int64_t t = reversed ? steps - 1 - s : s;
    Values next = h;
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < hidden; ++j) {
        Real& own = next[{i, j}];
        if (!mask || (*mask)[{i, t}] != 0) {
          const auto [z, p] = Products(kind, x, parameters, h, i, t, j);
          if (kind == RecurrentKind::rnn) {
            own = std::tanh(z[0] + p[0]);
          } else if (kind == RecurrentKind::lstm) {
            Real& cell = c[{i, j}];
            cell = sigmoid(z[1] + p[1]) * cell + sigmoid(z[0] + p[0]) * std::tanh(z[2] + p[2]);
            own = sigmoid(z[3] + p[3]) * std::tanh(cell);
          } else {
            const Real r = sigmoid(z[0] + p[0]), u = sigmoid(z[1] + p[1]);
            own = (1 - u) * std::tanh(z[2] + r * (p[2] + parameters.bias[{3 * hidden + j}])) + u * h[{i, j}];
          }
        }
        states[{i, t, j}] = own;
      }
    }
    h = next;
  }
  return {states, h, c};
}

}  // namespace xgrad::op_table
