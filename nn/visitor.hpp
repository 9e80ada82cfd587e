#pragma once
#include <nn/modules/registry.hpp>
#include <nn/parameter.hpp>
#include <string_view>
#include <typeinfo>

#pragma GCC visibility push(default)

/// The visitor that `members` hands a model's members to.
namespace xgrad::nn {

class Module;

namespace detail {
/// Names a module that runs by its place in the one around it, `model[1].encoder (Dense 64 -> 32)`.
void append_module(const void* self, PathScope::Path& path);

// The standard library's holders, told by their parts: including them all would cost every program's compile time.
template <class T>
concept OwningPointer = requires(T& t) {
  *t;
  typename T::deleter_type;
};
template <class T>
concept Optional = requires(T& t) {
  *t;
  t.has_value();
};
template <class T>
concept SharedPointer = requires(T& t) {
  *t;
  t.use_count();
};
template <class T>
concept OrderedMap = requires {
  typename T::mapped_type;
  typename T::key_compare;
};
}  // namespace detail

/// Walks through a model: `members` hands it each member with a name, `visit("hidden", hidden)`. It takes parameters,
/// buffers, modules and any type that has `members` itself; ranges of these (std::vector, std::array, C arrays), whose
/// elements are called "blocks.0", "blocks.1", ...; a std::map, whose elements are called by their keys, "heads.left";
/// and what a std::unique_ptr or std::optional holds, by the name of the holder. A null pointer or an empty optional
/// is skipped. All of these nest.
class Visitor {
 public:
  template <class T>
  void operator()(std::string_view name, T& member) {
    if constexpr (std::is_base_of_v<Module, T>) {
      module(name, member);
    } else if constexpr (std::is_base_of_v<detail::OwnedTensor, T>) {
      tensor(name, member, sizeof(T), std::is_base_of_v<Parameter, T>);
    } else if constexpr (requires { member.members(*this); }) {
      structure(name, &member, sizeof(T), typeid(T),
                [](void* self, Visitor& visit) { static_cast<T*>(self)->members(visit); });
    } else if constexpr (detail::OwningPointer<T> || detail::Optional<T>) {
      if (member) (*this)(name, *member);
    } else if constexpr (detail::OrderedMap<T>) {
      for (auto& [key, element] : member) (*this)(text(name, ".", key), element);
    } else if constexpr (std::is_array_v<T> || requires { member.begin(); }) {
      std::size_t i = 0;
      for (auto& element : member) (*this)(text(name, ".", i++), element);
    } else {
      static_assert(!std::is_same_v<T, Tensor>,
                    "list an nn::Parameter (trained) or an nn::Buffer (not trained): copies of a model would share a "
                    "plain Tensor");
      static_assert(!detail::SharedPointer<T>,
                    "hold the member by value or in a std::unique_ptr: copies of a model would share what is behind a "
                    "std::shared_ptr; a layer that is used twice is one member");
      static_assert(std::is_same_v<T, Tensor> || detail::SharedPointer<T>,
                    "a member must be a parameter, a buffer, a module, or a range, a std::map, a std::unique_ptr or a "
                    "std::optional of these");
    }
  }
  /// Mentions a part without parameters that is no module, such as a lambda, for the summary. Throws if it holds some
  /// by value, wherever they lie: a copy of it brings copies of them.
  template <class F>
  void function(std::string_view name, const F& f) {
    if constexpr (std::is_trivially_copyable_v<F>) {
      function(name, typeid(F), {});
    } else {
      const detail::Enlisting enlisting;
      [[maybe_unused]] const F copy(f);
      function(name, typeid(F), enlisting.found());
    }
  }

 private:
  friend class Module;
  friend void detail::append_module(const void* self, PathScope::Path& path);
  /// One thing that was visited: a module, a tensor, or something of another type.
  struct Entry {
    std::string path;
    Module* module = nullptr;
    detail::OwnedTensor* tensor = nullptr;
    bool is_parameter = false;
    const std::type_info* type = nullptr;
  };
  struct Range {
    const void* begin;
    const void* end;
  };

  /// What `members` of `in` calls this module, "encoder.2"; "" if it does not list it.
  static std::string name_of(const Module& wanted, const Module& in);

  void module(std::string_view name, Module& m);
  void tensor(std::string_view name, detail::OwnedTensor& t, std::size_t size, bool is_parameter);
  void structure(std::string_view name, void* self, std::size_t size, const std::type_info& type,
                 void (*members)(void*, Visitor&));
  void function(std::string_view name, const std::type_info& type, const std::vector<detail::Registered>& held);
  std::vector<Entry> take_entries();
  [[noreturn]] void fail_unlisted(const std::type_info& type, const detail::Registered& found,
                                  const char* remedy) const;
  std::string joined(std::string_view name) const;
  template <class Members>
  void inside(std::string path, Range extent, const Module* self, const std::type_info& type, Members members);
  void check_all_listed(Range extent, const Module* self, const std::type_info& type, std::size_t first) const;

  const Module* wanted_ = nullptr;  // if set, this is a search for it, and nothing is listed
  std::string found_;
  std::vector<Entry> entries_;
  std::string path_;
  std::vector<Range> listed_;  // memory of the members listed so far by the modules being visited, outermost first
};

namespace detail {
/// The unqualified name of a type; "function" for lambdas and function pointers.
std::string type_name(const std::type_info& type);
}  // namespace detail

}  // namespace xgrad::nn
#pragma GCC visibility pop
