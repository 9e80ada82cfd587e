// Measures how far rounding inside a function moves its results.
#include <algorithm>
#include <autograd/gradcheck/rounding.hpp>
#include <autograd/primitive.hpp>

namespace xgrad {

using namespace checking;

namespace {

/// Whether an op only chooses among the numbers that it is given, as `max` and `reshape` do: it rounds nothing, and its
/// rule may look for its result among its inputs.
bool chooses(const OpCall& call, const Array& result) {
  Numbers given{0};
  for (std::size_t i = 0; i < call.input_count; ++i) {
    if (call.inputs[i].is_number()) continue;
    const Numbers more = values({call.inputs[i].tensor()});
    given.insert(given.end(), more.begin(), more.end());
  }
  std::sort(given.begin(), given.end());
  const Numbers made = values({Tensor(result)});
  return std::all_of(made.begin(), made.end(),
                     [&](double v) { return std::binary_search(given.begin(), given.end(), v); });
}

}  // namespace

template <class T>
Array OtherRounding::moved(const Array& from) {
  Array to(from.dtype(), from.shape());
  constexpr T bits[] = {-2, -1, 1, 2};
  for (std::int64_t i = 0; i < from.size(); ++i)
    to.data<T>()[i] = from.data<T>()[i] * (1 + bits[draw_.next() >> 62] * std::numeric_limits<T>::epsilon());
  return to;
}

void OtherRounding::op_computed(const OpCall& call, Array& result) {
  if (result.size() > 0 && is_floating(result.dtype()) && !chooses(call, result))
    result = result.dtype() == f64 ? moved<double>(result) : moved<float>(result);
}

/// Runs f with other rounding, at the probes and where analytic derivatives are taken.
void Gradchecker::measure(const Comparison& c, Noise& noise) const {
  noise.outputs.resize(c.at.size());
  noise.gradients.resize(c.rows.count);
  for (std::uint64_t k = 0; k < rounding_draws; ++k) {
    OtherRounding other(options_.seed + 57 * k);
    const Observing observing(other);
    try {
      const Numbers y = values(outputs(c.order, probes_, false));
      for (std::size_t o = 0; o < y.size() && y.size() == c.at.size(); ++o) {
        const double apart = std::fabs(y[o] - c.at[o]);
        if (std::isfinite(apart)) noise.outputs[o] = std::max(noise.outputs[o], apart);
      }
      noise.graphs.push_back(outputs(c.order, leaves_, true));
    } catch (const std::exception&) {
      continue;  // it has left the domain, which the differences report
    }
  }
}

Rounding Gradchecker::rounding_of(const Comparison& c, Noise& noise, std::size_t row) const {
  if (noise.outputs.empty()) measure(c, noise);
  Rounding r{c.rows.spread(row, noise.outputs), 0};
  if (!noise.gradients[row].empty()) return r;
  Numbers& apart = noise.gradients[row];
  apart.resize(c.analytic[row].size());
  Numbers cotangent = c.rows.sums.empty() ? Numbers(c.at.size()) : c.rows.sums[row];
  if (c.rows.sums.empty()) cotangent[row] = 1;
  for (std::uint64_t k = 0; k < noise.graphs.size(); ++k) {
    OtherRounding other(options_.seed + 57 * k + 13);
    const Observing observing(other);
    const Numbers g = gradient(noise.graphs[k], cotangent);
    for (std::size_t x = 0; x < g.size(); ++x) {
      const double by = std::fabs(g[x] - c.analytic[row][x]);
      if (std::isfinite(by)) apart[x] = std::max(apart[x], by);
    }
  }
  return r;
}

}  // namespace xgrad
