// Counts the numbers of tensors.
#include <algorithm>
#include <autograd/ops.hpp>
#include <cmath>
#include <nn/training/histogram.hpp>

namespace xgrad::nn {

double Histogram::total() const {
  double total = 0;
  for (const double count : counts) total += count;
  return total;
}

Histogram detail::histogram_of(const Tensor& t) {
  const Tensor values = t.detach().to(f64);
  std::vector<double> finite;
  const double* const v = values.data<double>();
  std::copy_if(v, v + values.size(), std::back_inserter(finite), [](double x) { return std::isfinite(x); });
  Histogram h;
  if (finite.empty()) return h;
  const auto [least, most] = std::minmax_element(finite.begin(), finite.end());
  h.low = *least, h.high = *most;
  constexpr std::size_t bins = Histogram::bins;
  const double range = h.high / bins - h.low / bins, width = range > 0 ? range : 1;
  for (const double x : finite) {
    h.sum += x;
    h.squares += x * x;
    h.counts[static_cast<std::size_t>(std::clamp(x / width - h.low / width, 0., bins - 1.))] += 1;
  }
  return h;
}

std::vector<ParameterHistograms> detail::histograms_of(const Module& model) {
  std::vector<ParameterHistograms> all;
  for (const auto& [name, p] : model.named_parameters()) {
    all.push_back({name, histogram_of(p)});
    if (p.has_grad()) all.back().gradient = histogram_of(p.grad());
  }
  return all;
}

}  // namespace xgrad::nn
