#pragma once
#include <vector>

#pragma GCC visibility push(default)

/// Every Parameter, Buffer and Module that is alive, by address: how a model finds members that it has but does not
/// list. Safe to use from several threads.
namespace xgrad::nn {

class Module;

namespace detail {

class OwnedTensor;

/// A module or a tensor: one of the two pointers is set.
struct Registered {
  const Module* module;
  const OwnedTensor* tensor;
  const void* end;  // of the complete object
};
void enlist(const Module* m, const void* end);
void enlist(const OwnedTensor* t);
void delist(const void* at) noexcept;
/// Collects what this thread enlists while it is alive, such as the members of a copy; `found` returns those that
/// still live.
class Enlisting {
 public:
  Enlisting();
  ~Enlisting();
  Enlisting(const Enlisting&) = delete;
  Enlisting& operator=(const Enlisting&) = delete;
  std::vector<Registered> found() const;

 private:
  friend void enlist_at(const void* at, const Registered& entry);
  Enlisting* const outer_;
  std::vector<const void*> at_;
};
bool is_registered(const Module* m);
/// The outermost module that has this one as a member, or as a member of members; null if none has.
const Module* enclosing(const Module* m);
/// What lives at addresses [begin, end), lowest first.
std::vector<Registered> registered_between(const void* begin, const void* end);

}  // namespace detail
}  // namespace xgrad::nn
#pragma GCC visibility pop
