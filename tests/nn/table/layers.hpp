#pragma once
#include <autograd/ops/table/declared.hpp>
#include <map>
#include <memory>
#include <nn/nn.hpp>
#include <nn/per_sample.hpp>

#include "nn/table/check.hpp"

/// The table of layers. Each layer that a header of nn declares has one LayerRow; check() drives it through everything
/// that holds for every layer.
namespace xgrad::nn_table {

/// One way to make a layer.
struct LayerCase {
  std::string label;
  std::shared_ptr<const nn::Module> like;
  std::unique_ptr<nn::Module> (*copy)(const nn::Module& like);
  std::function<Tensor(nn::Module&, const Tensors&)> call;
  Reference reference;  // of the inputs and after them the parameters and buffers, in the order of `members`
  std::vector<std::vector<Shape>> shapes;  // of the inputs; among them batches of 0 and of 1
  std::vector<Domain> domains;             // one for each input
  bool draws = false;  // random in training mode, or of the batch: the reference is that of evaluation mode

  std::unique_ptr<nn::Module> make() const { return copy(*like); }
};

struct LayerRow {
  std::string name;
  std::vector<LayerCase> cases;
  std::vector<Bad> bad;
};

/// A copy of a layer of type L. No std::unique_ptr<L>: that of each layer takes its time to compile.
template <class L>
std::unique_ptr<nn::Module> copy_of(const nn::Module& like) {
  return std::unique_ptr<nn::Module>(new L(static_cast<const L&>(like)));
}

/// A layer of one input.
template <class L>
LayerCase layer(std::string label, const L& l, Reference reference, std::vector<std::vector<Shape>> shapes,
                Domain domain = interval(-2, 2)) {
  return {.label = std::move(label),
          .like = copy_of<L>(l),
          .copy = copy_of<L>,
          .call = +[](nn::Module& m, const Tensors& x) -> Tensor { return static_cast<L&>(m)(x[0]); },
          .reference = std::move(reference),
          .shapes = std::move(shapes),
          .domains = {std::move(domain)}};
}

namespace detail {

/// A layer whose parameters are random, so that none is hidden behind a 0 or a 1.
inline std::unique_ptr<nn::Module> made(const LayerCase& c, unsigned seed) {
  auto m = c.make();
  std::mt19937_64 random(seed);
  StateDict state = m->state_dict();
  for (auto& [name, value] : m->state_dict())
    if (is_floating(value.dtype()))
      state.set(name, from_values(interval(.5, 1.5).draw(random, value.shape()), value.shape()).to(f32));
  m->load_state_dict(state);
  return m;
}

class LayerCheck {
 public:
  LayerCheck(const LayerCase& c, const std::vector<Shape>& shapes, Findings& findings)
      : c_(c), found_(findings), drawn_(draw(c.domains, shapes)), other_(draw(c.domains, shapes, 8)) {}

  void run() {
    const auto narrow = made(c_, 3), wide = made(c_, 3);
    wide->to(f64);
    check_values(*narrow, *wide);
    check_state(*narrow);
    check_gradients(*narrow, *wide);
    check_samples(*wide);
    const Tensors inputs = as(drawn_, f32, true);
    Tensors leaves = floating(inputs);
    for (const Tensor& p : narrow->parameters()) leaves.push_back(p);
    found_.check_capture([&] { return c_.call(*narrow, inputs); }, leaves, inputs, as(drawn_, f32), as(other_, f32));
  }

 private:
  static Tensors floating(const Tensors& inputs) {
    Tensors result;
    for (const Tensor& t : inputs)
      if (is_floating(t.dtype())) result.push_back(t);
    return result;
  }

  void check_values(nn::Module& narrow, nn::Module& wide) {
    const Tensors x = as(drawn_, f64);
    wide.eval();
    const Tensor y = c_.call(wide, x);
    Tensors with_state = x;
    for (const auto& [name, value] : wide.state_dict()) with_state.push_back(value);
    found_.compare("value", Values(y), c_.reference(values_of(with_state)), 1e-14);
    found_.expect(!is_floating(y.dtype()) || y.dtype() == f64, text("the result is ", name_of(y.dtype())));
    const std::int64_t features = wide.output_features(x[0].ndim() > 0 ? x[0].shape()[-1] : -1);
    found_.expect(features < 0 || features == y.shape()[-1], text("says that it has ", features, " output features"));
    int calls = 0;
    HookHandle hook = wide.register_forward_hook([&](const Tensor&, const Tensor&) { ++calls; });
    {
      const NoGrad guard;
      const Tensor silent = c_.call(wide, x);
      found_.expect(same_bits(silent, y) && !silent.requires_grad(), "differs under NoGrad");
    }
    found_.expect(calls == 1, text("a forward hook ran ", calls, " times"));
    hook.remove();
    narrow.eval();
    found_.compare("f32 value", Values(c_.call(narrow, as(drawn_, f32))), Values(y), 1e-5);
    wide.train();
    narrow.train();
    if (!c_.draws) found_.expect(same_bits(c_.call(wide, x), y), "differs in training mode");
  }

  void check_state(nn::Module& m) {
    const Tensors x = as(drawn_, f32);
    const auto other = made(c_, 4);
    other->load_state_dict(m.state_dict());
    m.freeze();
    manual_seed(5);
    const Tensor y = c_.call(m, x);
    found_.expect(!y.requires_grad(), "requires a gradient when it is frozen");
    m.unfreeze();
    manual_seed(5);
    found_.expect(same_bits(c_.call(*other, x), y), "differs when another one has loaded its state_dict");
  }

  /// The value by the inputs and the parameters, all as one list.
  std::function<Tensor(const Tensors&)> function(nn::Module& m) {
    return [this, &m](const Tensors& all) {
      const auto first = all.begin() + static_cast<std::ptrdiff_t>(drawn_.size());
      StateDict parameters;
      auto next = first;
      for (const auto& named : m.named_parameters()) parameters.set(named.first, *next++);
      manual_seed(5);
      return nn::functional_call(m, parameters, [&] { return c_.call(m, Tensors(all.begin(), first)); });
    };
  }

  void check_gradients(nn::Module& narrow, nn::Module& wide) {
    const auto all = [&](nn::Module& m, Dtype dtype) {
      Tensors list = as(drawn_, dtype, true);
      for (const Tensor& p : m.parameters()) list.push_back(p.detach().clone().set_requires_grad(true));
      return list;
    };
    const Tensors in_f64 = all(wide, f64), in_f32 = all(narrow, f32);
    if (floating(in_f64).empty()) return;
    found_.check_gradients(function(wide), in_f64);
    const auto gradients = [&](nn::Module& m, const Tensors& list) {
      const Tensor y = function(m)(list);
      const Tensor cotangent = reshape(linspace(.5, 1.5, y.size(), {.dtype = y.dtype()}), y.shape());
      return y.requires_grad() ? grad(y, floating(list), cotangent, {.zeros_if_unused = true}) : Tensors();
    };
    const Tensors wanted = gradients(wide, in_f64), found = gradients(narrow, in_f32);
    for (std::size_t i = 0; i < wanted.size(); ++i)
      found_.compare(text("f32 gradient ", i), Values(found[i]), Values(wanted[i]), 1e-4);
  }

  /// Gradients of each sample against those of batches of one.
  void check_samples(nn::Module& m) {
    const Tensors x = as(drawn_, f64);
    const std::int64_t n = x[0].ndim() > 1 ? x[0].shape()[0] : 0;
    if (n == 0 || m.parameters().empty() || c_.draws) return;
    const auto losses = [&](std::int64_t from, std::int64_t to) {
      Tensors part;
      for (const Tensor& t : x) part.push_back(slice(t, 0, from, to));
      return sum(square(reshape(c_.call(m, part), {to - from, -1})), {1});
    };
    if (c_.call(m, x).size() == 0) return;
    const StateDict all = nn::per_sample_gradients(m, [&] { return losses(0, n); }).grad;
    for (std::int64_t i = 0; i < n; ++i)
      for (const auto& [name, g] : nn::value_and_grad(m, [&] { return sum(losses(i, i + 1)); }).grad)
        found_.compare(text("gradient of sample ", i, " by ", name), Values(slice(all[name], 0, i, i + 1)),
                       Values(unsqueeze(g, 0)), 1e-12);  // those by attention's key.bias are 0 but for rounding
  }

  const LayerCase& c_;
  Findings& found_;
  const Tensors drawn_, other_;
};

}  // namespace detail

/// Checks, for each case and shape: values in f64 against the reference, and f32 against f64; evaluation against
/// training mode; gradients of inputs and parameters to order 2, and of each sample; captured against eager; a
/// state_dict's round trip; that it says what it is, runs its hooks and can be frozen; and the messages.
inline Findings check(const LayerRow& row) {
  Findings findings;
  for (const LayerCase& c : row.cases) {
    bool none = false, one = false;
    for (const std::vector<Shape>& shapes : c.shapes) {
      findings.where = text(row.name, " [", c.label, "]");
      for (const Shape& shape : shapes) findings.where += text(" ", shape);
      none |= shapes[0].ndim() > 0 && shapes[0][0] == 0;
      one |= shapes[0].ndim() > 0 && shapes[0][0] == 1;
      try {
        detail::LayerCheck(c, shapes, findings).run();
      } catch (const std::exception& e) {
        findings.expect(false, text("threw ", e.what()));
      }
    }
    findings.where = text(row.name, " [", c.label, "]");
    findings.expect(none && one, "is tried on no batch of 0 or of 1");
    findings.expect(c.make()->describe().starts_with(row.name), "describes itself as " + c.make()->describe());
  }
  findings.where = row.name;
  findings.check_messages(row.bad);
  return findings;
}

/// The layers that headers of nn declare: classes that derive from Module, but for those that others derive from.
inline std::vector<std::string> declared_layers(const std::string& headers) {
  std::map<std::string, std::string> bases;
  for (const auto& class_and_base :
       op_table::groups_of_matches(headers, R"((?:^|\n)class (\w+)(?: final)? : public (?:\w+::)*(\w+))"))
    bases[class_and_base[0]] = class_and_base[1];
  std::vector<std::string> layers;
  for (const auto& [name, base] : bases) {
    std::string root = base;
    while (bases.count(root) > 0) root = bases[root];
    const auto from_this = [&derived = name](const auto& b) { return b.second == derived; };
    const bool is_base = std::any_of(bases.begin(), bases.end(), from_this);
    if (root == "Module" && !is_base) layers.push_back(name);
  }
  return layers;
}

}  // namespace xgrad::nn_table
