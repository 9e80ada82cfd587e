#pragma once
#include <vector>

/// Every Parameter, Buffer and Module that is alive, by address: how a model finds members that it has but does not
/// list. Safe to use from several threads.
namespace xgrad::nn {

class Module;

namespace detail {

class OwnedTensor;

/// One of the two is set.
struct Registered {
  const Module* module;
  const OwnedTensor* tensor;
};
void enlist(const Module* m);
void enlist(const OwnedTensor* t);
void delist(const void* at) noexcept;
/// What lives at addresses [begin, end), lowest first.
std::vector<Registered> registered_between(const void* begin, const void* end);

}  // namespace detail
}  // namespace xgrad::nn
