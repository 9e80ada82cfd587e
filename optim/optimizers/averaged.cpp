// Averages of parameters over the steps of training.
#include <algorithm>
#include <autograd/core/capturing.hpp>
#include <autograd/grad_mode.hpp>
#include <cstring>
#include <optim/averaged.hpp>
#include <optim/optimizers/state_reader.hpp>

namespace xgrad::optim {
namespace {

template <class T>
void approach(T* average, const T* p, double share, std::int64_t n) {
  const T by = static_cast<T>(share);
  for (std::int64_t i = 0; i < n; ++i) average[i] += by * (p[i] - average[i]);
}

}  // namespace

Averaged::Averaged(std::vector<Tensor> parameters, AveragedOptions options, Place place)
    : parameters_(std::move(parameters)), options_(options) {
  const OpScope scope("Averaged", place);
  if (!(options.decay >= 0 && options.decay < 1))
    scope.fail<ValueError>("decay is ", options.decay, "; expected a number in [0, 1)");
  if (parameters_.empty()) scope.fail<ValueError>("the list of parameters is empty; pass model.parameters()");
  for (auto p = parameters_.begin(); p != parameters_.end(); ++p) {
    const auto index = p - parameters_.begin();
    if (!p->defined())
      scope.fail<ValueError>("parameter ", index, " is undefined (default-built); give it a value first");
    if (!is_floating(p->dtype()))
      scope.fail<DtypeError>("parameter ", index, " is ", name_of(p->dtype()), "; f32 or f64 is needed");
    const auto twin = std::find_if(parameters_.begin(), p, [&](const Tensor& q) { return q.same(*p); });
    if (twin != p)
      scope.fail<ValueError>("parameter ", twin - parameters_.begin(), " and parameter ", index,
                             " are the same tensor; pass each parameter once");
    averages_.emplace_back(p->array().clone());
  }
}

// A replay is an update of its own.
void Averaged::update(Place place) { capturing::repeat(update_now, this, place); }

void Averaged::update_now(Averaged* average, Place place) {
  const OpScope scope("Averaged", place);
  average->check_swapped_out(scope);
  average->check_parameters(scope);
  const auto updates = static_cast<double>(++average->updates_);
  const double share = average->options_.equal ? 1 / updates : 1 - average->options_.decay;
  const std::uint64_t time = tick();
  for (std::size_t i = 0; i < average->parameters_.size(); ++i) {
    const Array &p = average->parameters_[i].array(), &a = average->averages_[i].array();
    if (updates == 1) {
      std::memcpy(a.data(), p.data(), p.bytes());
    } else if (p.dtype() == f32) {
      approach(a.data<float>(), p.data<float>(), share, p.size());
    } else {
      approach(a.data<double>(), p.data<double>(), share, p.size());
    }
    a.storage()->written.store(time, std::memory_order_relaxed);
  }
}

void Averaged::check_swapped_out(const OpScope& scope) const {
  if (swapped_in_)
    scope.fail<ValueError>("the averages are swapped in; let what swap_in returned go out of scope first");
}

void Averaged::check_parameters(const OpScope& scope) const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor &p = parameters_[i], &a = averages_[i];
    if (p.dtype() != a.dtype() || p.shape() != a.shape())
      scope.fail<DtypeError>("parameter ", i, " was ", name_of(a.dtype()), " ", a.shape(), " and is ",
                             name_of(p.dtype()), " ", p.shape(), " now; convert a model before its averages are made");
  }
}

Averaged::SwappedIn Averaged::swap_in(Place place) {
  const OpScope scope("swap_in", place);
  capturing::refuse();
  check_swapped_out(scope);
  check_parameters(scope);
  return SwappedIn(*this);
}

void Averaged::exchange() {
  const NoGrad guard;
  const std::uint64_t time = tick();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Tensor &p = parameters_[i], &a = averages_[i];
    if (p.dtype() == a.dtype()) {
      auto* const first = static_cast<std::byte*>(p.array().data());
      std::swap_ranges(first, first + p.array().bytes(), static_cast<std::byte*>(a.array().data()));
      for (const Tensor* t : {&p, &a}) t->array().storage()->written.store(time, std::memory_order_relaxed);
    } else {  // the model was converted while they were swapped in
      const Tensor own = a.to(p.dtype());
      a = p.detach().to(a.dtype());
      p.assign(own);
    }
  }
  swapped_in_ = !swapped_in_;
}

StateDict Averaged::state_dict(Place place) const {
  const OpScope scope("state_dict", place);
  check_swapped_out(scope);
  StateDict state{{"updates", full({}, updates_, {.dtype = i64})}};
  for (std::size_t i = 0; i < averages_.size(); ++i) state.set(text("parameter.", i, ".average"), averages_[i].clone());
  return state;
}

void Averaged::load_state_dict(const StateDict& state, Place place) {
  const OpScope scope("load_state_dict", place);
  check_swapped_out(scope);
  detail::StateReader reader(state);
  const Tensor updates = reader.take("updates", i64, {});
  if (updates.defined() && updates.item<std::int64_t>() < 0)
    reader.note("updates is ", updates.item<std::int64_t>(), ", expected at least 0");
  std::vector<Tensor> loaded;
  for (std::size_t i = 0; i < averages_.size(); ++i)
    loaded.push_back(reader.take(text("parameter.", i, ".average"), averages_[i].dtype(), averages_[i].shape()));
  if (const std::string problems = reader.problems(); !problems.empty())
    scope.fail<ValueError>("the state does not fit these averages, which stay as they were:", problems);
  updates_ = updates.item<std::int64_t>();
  for (std::size_t i = 0; i < averages_.size(); ++i) averages_[i].assign(loaded[i]);
}

}  // namespace xgrad::optim
