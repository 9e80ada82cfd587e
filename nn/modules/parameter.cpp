#include <nn/modules/registry.hpp>
#include <nn/parameter.hpp>

#include <autograd/grad_mode.hpp>
#include <autograd/support/process_locks.hpp>
#include <functional>
#include <map>

/// The semantics of parameters as values, and the registry of all that are alive.
namespace xgrad::nn::detail {
namespace {

using Registry = std::map<const void*, Registered>;

// Never destroyed, because models with static storage may outlive any static object.
Registry& registry() {
  static Registry& r = *new Registry;
  return r;
}

std::mutex& registry_lock() { return xgrad::detail::process_lock(xgrad::detail::ProcessLock::parameters); }

thread_local constinit Enlisting* enlisting = nullptr;

Tensor leaf(Array array, bool requires_grad) {
  Tensor t(std::move(array));
  t.set_requires_grad(requires_grad);
  return t;
}

Tensor copied(const Tensor& t) { return t.defined() ? leaf(t.array().clone(), t.requires_grad()) : Tensor(); }

Tensor taken(Tensor values, bool requires_grad, Place place) {
  const OpScope scope("Parameter", place);
  if (!values.defined()) return {};
  return leaf(values.unique() ? values.array() : values.array().clone(), requires_grad);
}

}  // namespace

void enlist_at(const void* at, const Registered& entry) {
  if (enlisting) enlisting->at_.push_back(at);
  const std::lock_guard lock(registry_lock());
  registry()[at] = entry;
}
void enlist(const Module* m, const void* end) { enlist_at(m, {m, nullptr, end}); }
void enlist(const OwnedTensor* t) { enlist_at(t, {nullptr, t, nullptr}); }

Enlisting::Enlisting() : outer_(std::exchange(enlisting, this)) {}
Enlisting::~Enlisting() { enlisting = outer_; }

std::vector<Registered> Enlisting::found() const {
  const std::lock_guard lock(registry_lock());
  std::vector<Registered> found;
  for (const void* at : at_)
    if (const auto it = registry().find(at); it != registry().end()) found.push_back(it->second);
  return found;
}

void delist(const void* at) noexcept {
  const std::lock_guard lock(registry_lock());
  registry().erase(at);
}

bool is_registered(const Module* m) {
  const std::lock_guard lock(registry_lock());
  return registry().count(m) > 0;
}

const Module* enclosing(const Module* m) {
  const std::lock_guard lock(registry_lock());
  const Registry& alive = registry();
  const auto own = alive.find(m);
  for (auto it = alive.begin(); it != own; ++it)
    if (it->second.module && std::less<const void*>()(m, it->second.end)) return it->second.module;
  return nullptr;
}

std::vector<Registered> registered_between(const void* begin, const void* end) {
  const std::lock_guard lock(registry_lock());
  std::vector<Registered> found;
  const Registry& alive = registry();
  const auto last = alive.lower_bound(end);
  for (auto it = alive.lower_bound(begin); it != last; ++it) found.push_back(it->second);
  return found;
}

OwnedTensor::OwnedTensor() { enlist(this); }
OwnedTensor::OwnedTensor(Tensor values, bool requires_grad, Place place)
    : Tensor(taken(std::move(values), requires_grad, place)) {
  enlist(this);
}
OwnedTensor::OwnedTensor(const OwnedTensor& other) : Tensor(copied(other)) { enlist(this); }
OwnedTensor::OwnedTensor(OwnedTensor&& other) noexcept : Tensor(std::move(other)) { enlist(this); }
OwnedTensor::~OwnedTensor() { delist(this); }

bool OwnedTensor::overwrite(const OwnedTensor& other) {
  if (!defined() || !other.defined() || shape() != other.shape() || dtype() != other.dtype()) return false;
  const NoGrad guard;
  assign(other);
  set_requires_grad(other.requires_grad());
  zero_grad();
  return true;
}

OwnedTensor& OwnedTensor::operator=(const OwnedTensor& other) {
  if (this != &other && !overwrite(other)) Tensor::operator=(copied(other));
  return *this;
}

OwnedTensor& OwnedTensor::operator=(OwnedTensor&& other) noexcept {
  if (this != &other && !overwrite(other)) Tensor::operator=(std::move(other));
  return *this;
}

}  // namespace xgrad::nn::detail
