#pragma once
#include <autograd/functional.hpp>
#include <autograd/grad_mode.hpp>
#include <nn/module.hpp>
#include <optional>

#pragma GCC visibility push(default)

/// The transforms of autograd/functional.hpp by a model's parameters. f takes nothing and uses the model:
///
///   auto [loss, g] = nn::value_and_grad(model, [&] { return nn::mse_loss(model(x), t); });
///   g["hidden.weight"]                                     // of the shape of the parameter
///   nn::hvp(model, f, v)["hidden.weight"]                  // v is a StateDict too, such as g
///   nn::hessian(model, f).at("hidden.weight", "output.bias")
///
/// Results hold every parameter that requires a gradient, by name. They are constants of the model's parameters, unless
/// this runs inside another transform by them; so use hvp, hessian or such a transform for higher orders. While f runs,
/// the model's members are other tensors: a handle that was taken from it before is not, and no other thread may use
/// it.
namespace xgrad::nn {

/// Runs f with the model's parameters being these tensors, by name; those not named stay. Afterwards, or if f throws,
/// the model is what it was. Throws ValueError for a name that the model does not have, ShapeError and DtypeError for
/// tensors that are not like the model's.
template <class F>
auto functional_call(Module& model, const StateDict& parameters, F&& f, Place place = Place::here());

namespace detail {

/// Puts other tensors in the places of a model's members while it is alive.
class Substituted {
 public:
  Substituted(const std::vector<OwnedTensor*>& members, const std::vector<Tensor>& by);
  ~Substituted();
  Substituted(const Substituted&) = delete;
  Substituted& operator=(const Substituted&) = delete;

 private:
  void swap();

  std::vector<OwnedTensor*> members_;
  std::vector<Tensor> others_;  // those that are not in the members' places now
};

/// Parameters of a model.
struct Parameters {
  /// All that require a gradient.
  Parameters(const OpScope& scope, const Module& model, Place place);
  /// Those of these names; throws unless the tensors are like them.
  Parameters(const OpScope& scope, const Module& model, const StateDict& like, Place place);

  std::vector<std::string> names;
  std::vector<OwnedTensor*> members;
  std::vector<Tensor> values;  // as inputs of a function: constants, unless they have a history

  StateDict named(std::vector<Tensor>&& list) const;
  /// The entries in the parameters' order. Throws ValueError for missing and unexpected names.
  std::vector<Tensor> ordered(const OpScope& scope, const StateDict& dict) const;
};

/// f() as a function of the parameters. They stay substituted until this is gone: what f leaves to the passes, as a
/// checkpoint does, sees them too.
template <class F>
class ByParameters {
 public:
  ByParameters(const Parameters& parameters, F& f) : parameters_(&parameters), f_(&f) {}
  auto operator()(const std::vector<Tensor>& values) {
    given_ = values;
    substituted_.emplace(parameters_->members, values);
    return (*f_)();
  }
  const std::vector<Tensor>& given() const { return given_; }

 private:
  const Parameters* parameters_;
  F* f_;
  std::vector<Tensor> given_;
  std::optional<Substituted> substituted_;
};
template <class F>
concept Nullary = std::is_invocable_v<F&>;

}  // namespace detail

template <class F>
auto functional_call(Module& model, const StateDict& parameters, F&& f, Place place) {
  const detail::Parameters p(OpScope("functional_call", place), model, parameters, place);
  std::vector<Tensor> by;
  for (const auto& entry : parameters) by.push_back(entry.second);
  const detail::Substituted substituted(p.members, by);
  return f();
}

/// The number f() and its gradients by name.
template <detail::Nullary F>
ValueAndGrad<StateDict> value_and_grad(Module& model, F&& f, Place place = Place::here()) {
  const OpScope scope("value_and_grad", place);
  const detail::Parameters p(scope, model, place);
  detail::ByParameters g(p, f);
  auto [value, list] = xgrad::detail::value_and_grad(g, p.values, scope);
  return {std::move(value), p.named(std::move(list))};
}

/// Carries a cotangent of f() back to the parameters of the model, which must still be there.
template <class Y>
class NamedPullback {
 public:
  NamedPullback(detail::Parameters p, std::vector<Tensor> given, Pullback<Y, std::vector<Tensor>> pullback)
      : parameters_(std::move(p)), given_(std::move(given)), pullback_(std::move(pullback)) {}
  StateDict operator()(const Y& v, Place place = Place::here()) const {
    const detail::Substituted substituted(parameters_.members, given_);
    return parameters_.named(pullback_(v, place));
  }

 private:
  detail::Parameters parameters_;
  std::vector<Tensor> given_;  // what the parameters were while f ran
  Pullback<Y, std::vector<Tensor>> pullback_;
};
template <class Y>
struct NamedVjp {
  Y value;
  NamedPullback<Y> pullback;
};

/// f() and v -> v^T J by name.
template <detail::Nullary F>
auto vjp(Module& model, F&& f, Place place = Place::here()) {
  const OpScope scope("vjp", place);
  const detail::Parameters p(scope, model, place);
  detail::ByParameters g(p, f);
  auto [value, pullback] = xgrad::detail::vjp(g, p.values, scope);
  return NamedVjp<decltype(value)>{value, {p, g.given(), pullback}};
}

/// f() and J v for tangents v of the parameters by name.
template <detail::Nullary F>
auto jvp(Module& model, F&& f, const StateDict& v, Place place = Place::here()) {
  const OpScope scope("jvp", place);
  const detail::Parameters p(scope, model, place);
  detail::ByParameters g(p, f);
  return xgrad::detail::jvp(g, p.values, p.ordered(scope, v), scope);
}

/// df()/dp of shape (shape of f(), shape of p) for each parameter p by name; f returns one Tensor.
template <detail::Nullary F>
StateDict jacobian(Module& model, F&& f, JacobianOptions options = {}, Place place = Place::here()) {
  const OpScope scope("jacobian", place);
  const detail::Parameters p(scope, model, place);
  detail::ByParameters g(p, f);
  static_assert(xgrad::detail::returns_one<decltype(g)>, "a Jacobian by name needs a function that returns one Tensor");
  return p.named(xgrad::detail::jacobian(g, p.values, options, scope));
}

/// Second derivatives by two names.
struct HessianBlocks {
  std::vector<std::string> names;
  std::vector<std::vector<Tensor>> blocks;
  /// d^2 f/d(row) d(column), of shape (shape of row, shape of column). Throws ValueError for an unknown name.
  const Tensor& at(std::string_view row, std::string_view column, Place place = Place::here()) const;
};

/// The second derivatives of the number f() for each pair of parameters.
template <detail::Nullary F>
HessianBlocks hessian(Module& model, F&& f, Place place = Place::here()) {
  const OpScope scope("hessian", place);
  const detail::Parameters p(scope, model, place);
  detail::ByParameters g(p, f);
  return {p.names, xgrad::detail::hessian(g, p.values, scope)};
}

/// H v by name, for the Hessian H of the number f().
template <detail::Nullary F>
StateDict hvp(Module& model, F&& f, const StateDict& v, Place place = Place::here()) {
  const OpScope scope("hvp", place);
  const detail::Parameters p(scope, model, place);
  detail::ByParameters g(p, f);
  return p.named(xgrad::detail::hvp(g, p.values, p.ordered(scope, v), scope));
}

}  // namespace xgrad::nn
#pragma GCC visibility pop
