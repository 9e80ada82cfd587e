#include <nn/sequential.hpp>

#include <algorithm>
#include <memory>

/// Runs layers one after another, and copies them.
namespace xgrad::nn {
namespace {

/// The layer of a Sequential that is running.
struct Position {
  const Layer* layer;
  std::size_t index;
};

/// `model[1] (Sequential)`, and one further in `model[1][0] (Dense 2 -> 3)`; by its name in a custom model `encoder.0`.
void append_position(const void* self, PathScope::Path& path) {
  const auto& at = *static_cast<const Position*>(self);
  std::string& words = path.words;
  words.resize(path.named);
  const bool named = !words.empty() && !words.ends_with(' ');
  if (!named) words += "model";
  words += named && !words.ends_with(']') ? text(".", at.index) : text("[", at.index, "]");
  path.named = words.size();
  words += text(" (", at.layer->describe(), ")");
  path.member = text(at.index);
}

}  // namespace

void Layer::fail_type(const std::type_info& asked, Place place) const {
  const OpScope scope("as", place);
  scope.fail<ValueError>("the layer is ", describe(), ", not ", detail::type_name(asked));
}

Sequential::Sequential(const Sequential& other) : Sequential() {
  Module::operator=(other);
  layers_.reserve(other.layers_.size());
  for (const Layer* layer : other.layers_) push(layer->clone());
}

Sequential& Sequential::operator=(const Sequential& other) {
  if (this == &other) return *this;
  if (!has_layers_like(other)) return *this = Sequential(other);
  Module::operator=(other);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (layers_[i]->assign(*other.layers_[i])) continue;
    delete std::exchange(layers_[i], other.layers_[i]->clone());
  }
  return *this;
}

Sequential& Sequential::operator=(Sequential&& other) noexcept(false) {
  if (has_layers_like(other)) return *this = std::as_const(other);
  Module::operator=(other);
  std::swap(layers_, other.layers_);
  return *this;
}

bool Sequential::has_layers_like(const Sequential& other) const {
  return std::equal(layers_.begin(), layers_.end(), other.layers_.begin(), other.layers_.end(),
                    [](const Layer* a, const Layer* b) { return a->type() == b->type(); });
}

Sequential::~Sequential() {
  for (const Layer* layer : layers_) delete layer;
}

void Sequential::push(Layer* layer) {
  std::unique_ptr<Layer> owner(layer);
  layers_.push_back(nullptr);
  layers_.back() = owner.release();
}

Tensor Sequential::operator()(const Operand& x) const {
  return hooked(x, [this](const Operand& input) { return run(input); });
}

Tensor Sequential::run(const Operand& x) const {
  if (layers_.empty()) return x.tensor();
  const auto output = [this](std::size_t i, const Operand& input) {
    const Position position{layers_[i], i};
    const PathScope path(&position, append_position);
    return (*layers_[i])(input);
  };
  Tensor y = output(0, x);
  for (std::size_t i = 1; i < layers_.size(); ++i) y = output(i, Operand(std::move(y), x.place().file, x.place().line));
  return y;
}

Layer& Sequential::operator[](Index index) {
  const std::int64_t at = index.value < 0 ? index.value + size() : index.value;
  if (at < 0 || at >= size()) {
    const OpScope scope("Sequential", index.place);
    scope.fail<ValueError>("index ", index.value, " is out of range for a model of ", size(),
                           size() == 1 ? " layer" : " layers");
  }
  return *layers_[static_cast<std::size_t>(at)];
}

void Sequential::members(Visitor& visit) {
  for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i]->visit(text(i), visit);
}

std::int64_t Sequential::output_features(std::int64_t input) const {
  for (const Layer* layer : layers_) input = layer->output_features(input);
  return input;
}

}  // namespace xgrad::nn
