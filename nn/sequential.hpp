#pragma once
#include <functional>
#include <nn/module.hpp>

#pragma GCC visibility push(default)

/// Models that are a list of layers.
namespace xgrad::nn {

/// A layer of a Sequential, whatever its type.
class Layer {
 public:
  virtual ~Layer() = default;
  virtual Tensor operator()(const Operand& x) = 0;
  virtual std::string describe() const = 0;
  virtual std::int64_t output_features(std::int64_t input) const = 0;
  /// The layer itself, `model[0].as<nn::Dense>().weight`. Throws ValueError if it is of another type.
  template <class T>
  T& as(Place place = Place::here()) {
    if (type() != typeid(T)) fail_type(typeid(T), place);
    return *static_cast<T*>(get());
  }

 private:
  friend class Sequential;
  virtual Layer* clone() const = 0;
  /// Copies the values of a layer of the same type, keeping this one's parameters; false if that is not possible.
  virtual bool assign(const Layer& other) = 0;
  virtual void visit(std::string_view name, Visitor& visitor) = 0;
  virtual const std::type_info& type() const = 0;
  virtual void* get() = 0;
  [[noreturn]] void fail_type(const std::type_info& asked, Place place) const;
};

namespace detail {

template <class T>
concept HasMembers = std::is_base_of_v<Module, T> || requires(T& layer, Visitor& visit) {
  layer.members(visit);
};

template <class T>
inline constexpr bool is_reference_wrapper = false;
template <class T>
inline constexpr bool is_reference_wrapper<std::reference_wrapper<T>> = true;

template <class T>
concept Callable = requires(T& layer, const Tensor& x) {
  { layer(x) } -> std::convertible_to<Tensor>;
};

template <class T>
class LayerOf final : public Layer {
  static_assert(!is_reference_wrapper<T>,
                "a Sequential owns its layers: pass the layer itself, or a struct that refers to it and lists it in "
                "members()");
  static_assert(std::is_copy_constructible_v<T>,
                "a Sequential copies its layers when it is copied, and this one cannot be: one that holds a "
                "std::unique_ptr belongs in a model of your own");

 public:
  explicit LayerOf(T&& layer) : layer_(std::move(layer)) {}
  Tensor operator()(const Operand& x) override {
    if constexpr (std::is_base_of_v<Module, T>) {
      if (layer_.has_forward_hooks()) [[unlikely]]
        return layer_.hooked(x, [this](const Operand& input) { return call(input); });
    }
    return call(x);
  }
  Tensor call(const Operand& x) {
    // A library's layer takes the operand with the place it came from; one of the user's has places of its own.
    if constexpr ((std::is_base_of_v<Module, T> || std::is_pointer_v<T>)&&std::is_invocable_v<T&, const Operand&>) {
      return layer_(x);
    } else {
      return xgrad::detail::call_at(x.place(), layer_, x.tensor());
    }
  }
  std::string describe() const override {
    if constexpr (std::is_base_of_v<Module, T>) {
      return layer_.describe();
    } else {
      return type_name(typeid(T));
    }
  }
  std::int64_t output_features(std::int64_t input) const override {
    if constexpr (std::is_base_of_v<Module, T>) {
      return layer_.output_features(input);
    } else {
      return -1;
    }
  }

 private:
  Layer* clone() const override { return new LayerOf(T(layer_)); }
  bool assign(const Layer& other) override {
    if constexpr (std::is_copy_assignable_v<T>) {
      const auto* const like = dynamic_cast<const LayerOf*>(&other);
      if (like) layer_ = like->layer_;
      return like;
    } else {
      return false;
    }
  }
  void visit(std::string_view name, Visitor& visitor) override {
    if constexpr (HasMembers<T>) {
      visitor(name, layer_);
    } else {
      visitor.function(name, layer_);
    }
  }
  const std::type_info& type() const override { return typeid(T); }
  void* get() override { return &layer_; }

  T layer_;
};

}  // namespace detail

/// Runs layers one after another: `nn::Sequential model{nn::Dense{2, 8}, nn::Tanh{}, nn::Dense{8, 1}};`. A layer is any
/// copyable value with `Tensor operator()(const Tensor&)`, such as a module, another Sequential or a lambda; what has
/// `members` too is trained. Parameters are called "0.weight", "2.bias". Copies are deep, as of any model.
/// A layer or parameter that a lambda or another callable without `members` holds by value is reported as one that a
/// model does not list. What it refers to, by a reference or a pointer, cannot be found: it belongs to whoever owns it.
/// `Sequential{other}` is a copy of `other`; a Sequential with another one as its only layer is made with `add`.
class Sequential : public Module {
 public:
  Sequential() = default;
  template <detail::Callable... Layers>
  requires(sizeof...(Layers) > 0 && !(sizeof...(Layers) == 1 && (std::is_same_v<Layers, Sequential> && ...)))
      Sequential(Layers... layers)
      : Sequential() {
    layers_.reserve(sizeof...(Layers));
    (add(std::move(layers)), ...);
  }
  template <class... Layers>
  requires(!detail::Callable<Layers> || ...) explicit Sequential(Layers...) {
    static_assert(xgrad::detail::never<Layers...>, "a layer has a Tensor operator()(const Tensor&), of one tensor");
  }
  Sequential(const Sequential& other);
  Sequential(Sequential&& other) noexcept = default;
  /// Between models of equal layers overwrites the parameters in place, as Parameter does.
  Sequential& operator=(const Sequential& other);
  Sequential& operator=(Sequential&& other) noexcept(false);
  ~Sequential() override;

  /// Appends a layer. Returns *this.
  template <detail::Callable T>
  Sequential& add(T layer) {
    push(new detail::LayerOf<T>(std::move(layer)));
    return *this;
  }
  template <class T>
  requires(!detail::Callable<T>) Sequential& add(T) {
    static_assert(xgrad::detail::never<T>, "a layer has a Tensor operator()(const Tensor&), of one tensor");
    return *this;
  }
  /// Errors name the layer: `in model[3] (Dense 64 -> 32)`.
  Tensor operator()(const Operand& x) const;  // of one tensor; what takes several is a struct of your own

  std::int64_t size() const { return static_cast<std::int64_t>(layers_.size()); }
  using Index = Tensor::Index;
  /// Throws ValueError if there is no such layer.
  Layer& operator[](Index index);
  const Layer& operator[](Index index) const { return const_cast<Sequential&>(*this)[index]; }

  void members(Visitor& visit) override;
  std::int64_t output_features(std::int64_t input) const override;

 private:
  Tensor run(const Operand& x) const;
  void push(Layer* layer);
  bool has_layers_like(const Sequential& other) const;

  std::vector<Layer*> layers_;  // owned
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
