#include <algorithm>
#include <nn/module.hpp>
#include <nn/modules/registry.hpp>

#include <autograd/core/capturing.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/node.hpp>
#include <cmath>

/// Everything that a model can do by visiting its members.
namespace xgrad::nn {
namespace {

/// Whether the dtype has this number, or one that it rounds to.
bool fits(double x, Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return std::isinf(x) || !std::isinf(static_cast<float>(x));
    case Dtype::f64:
      return true;
    case Dtype::i64:
      return std::abs(x) < 0x1p63 && std::nearbyint(x) == x;
    case Dtype::boolean:
      return x == 0 || x == 1;
  }
  return false;
}

}  // namespace

void detail::Mode::set(bool training) {
  if (training != training_) capturing::toggle_mode(this);
  training_ = training;
}

Module::Module() { detail::enlist(this, end()); }
Module::Module(const Module& other) : ObjectEnd(other), mode_(other.mode_) { detail::enlist(this, end()); }
Module::Module(Module&& other) noexcept : ObjectEnd(other), mode_(other.mode_), hooks_(std::move(other.hooks_)) {
  detail::enlist(this, end());
}
Module::~Module() { detail::delist(this); }

void Module::members(Visitor&) {}
std::string Module::describe() const { return detail::type_name(typeid(*this)); }
std::int64_t Module::output_features(std::int64_t) const { return -1; }

std::vector<Visitor::Entry> Module::walk(const char* op, Place place) const {
  const OpScope scope(op, place);
  Visitor visitor;
  // `members` is not const because it hands out references, but visiting changes nothing.
  visitor.module("", const_cast<Module&>(*this));
  return visitor.take_entries();
}

std::vector<std::pair<std::string, detail::OwnedTensor*>> Module::parameter_members(const char* op, Place place) const {
  std::vector<std::pair<std::string, detail::OwnedTensor*>> result;
  for (auto& e : walk(op, place))
    if (e.is_parameter) result.emplace_back(std::move(e.path), e.tensor);
  return result;
}

std::vector<Tensor> Module::parameters(Place place) const {
  std::vector<Tensor> result;
  for (const auto& member : parameter_members("parameters", place)) result.push_back(*member.second);
  return result;
}

std::vector<std::pair<std::string, Tensor>> Module::named_parameters(Place place) const {
  std::vector<std::pair<std::string, Tensor>> result;
  for (auto& [name, member] : parameter_members("named_parameters", place))
    result.emplace_back(std::move(name), *member);
  return result;
}

std::vector<std::pair<std::string, Tensor>> Module::named_buffers(Place place) const {
  std::vector<std::pair<std::string, Tensor>> result;
  for (auto& e : walk("named_buffers", place))
    if (e.tensor && !e.is_parameter) result.emplace_back(std::move(e.path), *e.tensor);
  return result;
}

StateDict Module::state_dict(Place place) const {
  std::vector<StateDict::Entry> result;
  for (const auto& e : walk("state_dict", place))
    if (e.tensor) result.emplace_back(e.path, Tensor(e.tensor->array().clone()));
  return result;
}

void Module::load_state_dict(const StateDict& dict, LoadOptions options, Place place) {
  const OpScope scope("load_state_dict", place);
  const auto entries = walk("load_state_dict", place);
  std::string problems;
  const auto report = [&problems](const auto&... parts) { problems += text(problems.empty() ? "" : "; ", parts...); };
  StateDict own;
  for (const auto& e : entries) {
    if (!e.tensor) continue;
    const Tensor& mine = *e.tensor;
    own.set(e.path, mine);
    const Tensor* const theirs = dict.find(e.path);
    if (!theirs || !theirs->defined()) {
      report("missing ", e.path, " ", mine.shape());
    } else if (theirs->shape() != mine.shape()) {
      report(e.path, " is ", theirs->shape(), ", the model's is ", mine.shape());
    } else if (theirs->dtype() != mine.dtype() && !options.convert_dtype) {
      report(e.path, " is ", name_of(theirs->dtype()), ", the model's is ", name_of(mine.dtype()),
             " (pass {.convert_dtype = true} to convert)");
    } else if (theirs->dtype() != mine.dtype()) {
      const Tensor values = theirs->detach().to(f64);
      const double *const begin = values.data<double>(), *const end = begin + values.size();
      const double* const misfit = std::find_if(begin, end, [&](double x) { return !fits(x, mine.dtype()); });
      if (misfit != end)
        report("element ", misfit - begin, " of ", e.path, " is ", *misfit, ", which does not fit ",
               name_of(mine.dtype()));
    }
  }
  for (const auto& [name, value] : dict)
    if (!own.contains(name)) report("unexpected ", name);
  if (!problems.empty()) scope.fail<ValueError>(problems, "; the model is unchanged");
  const NoGrad guard;
  // Everything that allocates comes first, so that running out of memory changes nothing.
  std::vector<std::pair<detail::OwnedTensor*, Tensor>> values;
  for (const auto& e : entries)
    if (e.tensor) values.emplace_back(e.tensor, dict.at(e.path).detach().to(e.tensor->dtype()));
  for (const auto& [tensor, value] : values) tensor->assign(value);
}

Module& Module::submodule(std::string_view path, Place place) {
  const OpScope scope("submodule", place);
  std::string known;
  for (const auto& e : walk("submodule", place)) {
    if (!e.module) continue;
    if (e.path == path) return *e.module;
    known += text(known.empty() ? "\"" : ", \"", e.path, "\"");
  }
  scope.fail<ValueError>("there is no module \"", path, "\"; there are ", known);
}

void Module::train(bool on, Place place) {
  for (const auto& e : walk("train", place))
    if (e.module) e.module->mode_.set(on);
}

void Module::to(Dtype dtype, Place place) {
  const OpScope scope("to", place);
  if (!is_floating(dtype)) scope.fail<DtypeError>("a model cannot be ", name_of(dtype), "; use f32 or f64");
  for (const auto& e : walk("to", place))
    if (e.tensor && is_floating(e.tensor->dtype()) && e.tensor->dtype() != dtype)
      e.tensor->reset_array(e.tensor->detach().to(dtype).array());
}

void Module::zero_grad(Place place) {
  for (const auto& e : walk("zero_grad", place))
    if (e.tensor) e.tensor->zero_grad();
}

void Module::set_requires_grad(const char* op, bool on, Place place) {
  const OpScope scope(op, place);
  const auto parameters = parameter_members(op, place);
  for (const auto& [name, p] : parameters)
    if (!p->is_leaf())
      scope.fail<GraphError>(name, " is the result of ", p->node()->name,
                             " while a transform runs; do this before or after it");
  for (const auto& member : parameters) member.second->set_requires_grad(on);
}

void Module::freeze(Place place) { set_requires_grad("freeze", false, place); }
void Module::unfreeze(Place place) { set_requires_grad("unfreeze", true, place); }

}  // namespace xgrad::nn
