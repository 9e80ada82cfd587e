#pragma once
#include <autograd/state_dict.hpp>
#include <autograd/support/function_ref.hpp>
#include <nn/modules/hooks.hpp>
#include <nn/visitor.hpp>

#pragma GCC visibility push(default)

/// A model is a struct that derives from Module, has layers and parameters as plain members, and lists them once:
///
///   struct Net : nn::Module {
///     nn::Dense hidden{784, 64}, output{64, 1};
///     Tensor operator()(const Tensor& x) { return output(relu(hidden(x))); }
///     void members(nn::Visitor& visit) override { visit("hidden", hidden); visit("output", output); }
///   };
///
/// Models are values: a copy has parameters of its own (nn/parameter.hpp). `members` is the one source of truth:
/// everything below visits it. A member that is not listed, be it a parameter or a module, is found by its
/// address and reported by every one of these functions. What a model holds elsewhere, in a std::vector or behind a
/// pointer, cannot be found in that way: list it. nn/visitor.hpp says what can be listed.
///
/// Messages, gradient checks, profiles and pictures call a layer that runs by its name in the model, `in hidden (Dense
/// 784 -> 64)`; one that a model holds elsewhere if the model stands in a Sequential or runs by `hooked`.
namespace xgrad::nn {

namespace detail {
/// Whether a module is in training mode; captured steps are told of those that are not (autograd/capture.hpp).
class Mode {
 public:
  Mode() = default;
  Mode(const Mode& other) { set(other.training_); }
  Mode& operator=(const Mode& other) {
    set(other.training_);
    return *this;
  }
  ~Mode() { set(true); }
  void set(bool training);
  bool training() const { return training_; }

 private:
  bool training_ = true;
};

/// A virtual base lies behind all members of the complete object, so its address tells where the object ends.
struct ObjectEnd {
  char mark = 0;
};
struct Parameters;
class ModeScope;
}  // namespace detail

struct LoadOptions {
  bool convert_dtype = false;  // convert values of another dtype, instead of refusing them, where each number fits
};

class Module : private virtual detail::ObjectEnd {
 public:
  Module();
  Module(const Module& other);
  Module(Module&& other) noexcept;
  Module& operator=(const Module&) = default;
  Module& operator=(Module&&) = default;
  virtual ~Module();

  /// Lists the members by name. A model without parameters and layers need not override it.
  virtual void members(Visitor& visit);
  /// What the summary and messages call this module, such as "Dense 784 -> 64"; the type's name unless overridden.
  virtual std::string describe() const;
  /// The size of the output's last axis for an input with `input` features; -1 stands for unknown.
  virtual std::int64_t output_features(std::int64_t input) const;

  /// Handles to the model's own parameters in the order of `members`, each shared one once.
  std::vector<Tensor> parameters(Place place = Place::here()) const;
  /// The same with their names by path: "hidden.weight", "0.bias".
  std::vector<std::pair<std::string, Tensor>> named_parameters(Place place = Place::here()) const;
  /// Handles to the model's own buffers, as the moving averages of a batch norm, with their names by path.
  std::vector<std::pair<std::string, Tensor>> named_buffers(Place place = Place::here()) const;
  /// Copies of all parameters and buffers by path: training on does not change them.
  StateDict state_dict(Place place = Place::here()) const;
  /// Overwrites parameters and buffers with the values of `dict`. Throws ValueError listing every missing and
  /// unexpected name, every shape or dtype that differs and every number that does not fit the dtype that it is
  /// converted to (finite and too large for f32, no whole number for i64), and then has changed nothing.
  void load_state_dict(const StateDict& dict, LoadOptions options = {}, Place place = Place::here());

  /// Training or evaluation mode, for this module and all in it; dropout acts in training mode only.
  void train(bool on = true, Place place = Place::here());
  void eval(Place place = Place::here()) { train(false, place); }
  bool is_training() const { return mode_.training(); }
  /// Converts all floating parameters and buffers; gradients are dropped. Throws DtypeError unless f32 or f64.
  void to(Dtype dtype, Place place = Place::here());
  /// Drops the gradients of all parameters.
  void zero_grad(Place place = Place::here());
  /// Has all parameters of this module require no gradient, or require one again; buffers are untouched. Backward
  /// passes spend no time on frozen ones, optimisers leave them alone, and copies are frozen too:
  /// `model.submodule("encoder").freeze()`. Throws GraphError for a parameter that is an op's result just now, as
  /// inside functional_call.
  void freeze(Place place = Place::here());
  void unfreeze(Place place = Place::here());
  /// The module in this one that `members` calls so, "hidden" or "1.inner"; "" is the model itself. Throws ValueError
  /// if there is none.
  Module& submodule(std::string_view path, Place place = Place::here());

  /// f(x) runs before each call of this module, on its input, and may return what takes its place. Hooks run in the
  /// order of registration, around library layers and around whatever stands in a Sequential; a model of your own whose
  /// operator() is called directly runs them by `hooked` below. They belong to this object: copies have none.
  template <class F>
  HookHandle register_forward_pre_hook(F f, Place place = Place::here()) {
    static_assert(std::is_invocable_v<F&, const Tensor&>, "a forward pre-hook takes the input, a const Tensor&");
    return hooks_.add(true, Ref<xgrad::detail::Hook>::adopt(new xgrad::detail::HookOf<F, 1>(std::move(f), place)));
  }
  /// f(x, y) runs after each call, on its input and output, and may return what takes y's place. For gradients of the
  /// output, register a hook on y, or ask it to retain_grad().
  template <class F>
  HookHandle register_forward_hook(F f, Place place = Place::here()) {
    static_assert(std::is_invocable_v<F&, const Tensor&, const Tensor&>,
                  "a forward hook takes the input and the output, two const Tensor&");
    return hooks_.add(false, Ref<xgrad::detail::Hook>::adopt(new xgrad::detail::HookOf<F, 2>(std::move(f), place)));
  }
  bool has_forward_hooks() const { return hooks_.any(); }
  /// forward(x) with this module's hooks around it, once even if a container that runs it does so too:
  ///
  ///   Tensor operator()(const Tensor& x) {
  ///     return hooked(x, [&](const Tensor& x) { return output(relu(hidden(x))); });
  ///   }
  template <class Forward>
  Tensor hooked(const Operand& x, Forward&& forward) const {
    const PathScope path(this, detail::append_module);
    const auto call = [&](const Operand& input) -> Tensor {
      if constexpr (std::is_invocable_v<Forward&, const Operand&>) {
        return forward(input);
      } else {
        return forward(input.tensor());
      }
    };
    if (!hooks_.any()) [[likely]]
      return call(x);
    return hooks_.run(
        this, x, [](void* f, const Operand& input) { return (*static_cast<decltype(call)*>(f))(input); },
        const_cast<void*>(static_cast<const void*>(&call)));
  }

  /// A table of the layers with output shapes, where these are known without running, and parameter counts. Layers
  /// whose own parameters require no gradient are marked as frozen.
  std::string summary(Place place = Place::here()) const;
  /// The same with the shapes that come out of the layers while `run` runs the model, in evaluation mode and without a
  /// graph; nn/summary.hpp has a shorter form.
  std::string summary(xgrad::detail::FunctionRef<void()> run, Place place = Place::here());

 private:
  friend class Visitor;
  friend struct detail::Parameters;
  friend class detail::ModeScope;
  std::vector<std::pair<std::string, detail::OwnedTensor*>> parameter_members(const char* op, Place place) const;
  std::vector<Visitor::Entry> walk(const char* op, Place place) const;
  struct Probe;
  std::string table(const Probe* probe, Place place) const;
  void set_requires_grad(const char* op, bool on, Place place);
  const void* begin() const { return dynamic_cast<const void*>(this); }
  const void* end() const { return static_cast<const detail::ObjectEnd*>(this); }

  detail::Mode mode_;
  detail::ModuleHooks hooks_;
};

/// The summary.
std::ostream& operator<<(std::ostream& out, const Module& model);

}  // namespace xgrad::nn
#pragma GCC visibility pop
