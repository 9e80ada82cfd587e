#include <algorithm>
#include <autograd/ops/random_scope.hpp>
#include <nn/functional.hpp>
#include <nn/gradcheck.hpp>

/// Checks a copy of a model, in f64 where it runs there.
namespace xgrad::nn {

namespace {

std::vector<Tensor> converted(const std::vector<Tensor>& data, Dtype from, Dtype to) {
  std::vector<Tensor> result;
  for (const Tensor& t : data) result.push_back(t.defined() && t.dtype() == from ? t.detach().to(to) : t);
  return result;
}

}  // namespace

GradcheckReport detail::gradcheck(Module& copy, xgrad::detail::TensorFunction f, const std::vector<Tensor>& data,
                                  const GradcheckOptions& options, Place place) {
  const RandomState random = random_state();
  const RandomScope restored;
  std::vector<Tensor> in = data;
  {
    const OpScope scope("gradcheck", place);
    if (!data.empty()) f.check_takes(scope, data.size());
    const auto parameters = copy.parameters(place);
    const bool narrow =
        std::any_of(parameters.begin(), parameters.end(), [](const Tensor& p) { return p.dtype() == f32; });
    if (narrow) {
      in = converted(data, f32, f64);
      copy.to(f64, place);
      try {
        const DetachedScope detached;
        (void)f(in);
      } catch (const DtypeError&) {
        // The loss uses f32 tensors of its own, so the check runs in f32.
        in = data;
        copy.to(f32, place);
      }
    }
  }
  const OpScope scope("gradcheck", place);
  const Parameters parameters(scope, copy, place);
  const auto run = [&] {
    set_random_state(random);
    return f(in);
  };
  ByParameters by(parameters, run);
  std::vector<Tensor> values;
  for (const Tensor& v : parameters.values) values.push_back(v.detach());
  return xgrad::detail::gradcheck(xgrad::detail::TensorFunction(by), values, options, place, parameters.names);
}

}  // namespace xgrad::nn
