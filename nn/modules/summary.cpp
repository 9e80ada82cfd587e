#include <autograd/grad_mode.hpp>
#include <autograd/support/table.hpp>
#include <map>
#include <nn/modules/mode.hpp>
#include <nn/sequential.hpp>
#include <nn/summary.hpp>
#include <ostream>

/// The table that summary() prints.
namespace xgrad::nn {
namespace {

/// 50240 as "50,240".
std::string grouped(std::int64_t n) {
  const std::string digits = std::to_string(n);
  std::string s;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) s += ',';
    s += digits[i];
  }
  return s;
}

}  // namespace

/// What modules gave while the model ran.
struct Module::Probe {
  std::map<const Module*, Shape> shapes;

  explicit Probe(const std::vector<Visitor::Entry>& entries) {
    for (const auto& e : entries) {
      if (!e.module) continue;
      hooks_.push_back(e.module->register_forward_hook(
          [this, m = e.module](const Tensor&, const Tensor& y) { shapes[m] = y.shape(); }));
    }
  }
  ~Probe() {
    for (HookHandle& hook : hooks_) hook.remove();
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

 private:
  std::vector<HookHandle> hooks_;
};

std::string Module::summary(Place place) const { return table(nullptr, place); }

std::string Module::summary(xgrad::detail::FunctionRef<void()> run, Place place) {
  Probe probe(walk("summary", place));
  const detail::ModeScope evaluation(*this, false, place);
  const NoGrad guard;
  run();
  return table(&probe, place);
}

std::string Module::table(const Probe* probe, Place place) const {
  struct Part {
    const Visitor::Entry* entry;
    std::int64_t parameters = 0;
    std::int64_t trainable = 0;  // of these
    std::int64_t features = -1;  // of the output
    std::int64_t flow = -1;      // of what the next layer inside a Sequential gets
  };
  const auto entries = walk("summary", place);
  std::vector<Part> parts;
  const auto parent_of = [&](std::string_view path) -> Part* {
    while (!path.empty()) {
      const std::size_t dot = path.rfind('.');
      path = path.substr(0, dot == path.npos ? 0 : dot);
      for (Part& part : parts)
        if (part.entry->path == path) return &part;
    }
    return nullptr;
  };
  std::int64_t total = 0, trainable = 0, state = 0;
  for (const auto& e : entries) {
    Part* const parent = parent_of(e.path);
    if (e.is_parameter) {
      const std::int64_t n = e.tensor->size();
      const std::int64_t trained = e.tensor->requires_grad() ? n : 0;
      parent->parameters += n;
      parent->trainable += trained;
      total += n;
      trainable += trained;
    } else if (e.tensor) {
      state += e.tensor->size();
    } else {
      const bool chained = parent && dynamic_cast<const Sequential*>(parent->entry->module);
      const std::int64_t input = chained ? parent->flow : -1;
      const std::int64_t output = e.module ? e.module->output_features(input) : -1;
      if (chained) parent->flow = output;
      parts.push_back({.entry = &e, .features = output, .flow = input});
    }
  }
  const auto output_of = [&](const Part& part) -> std::string {
    if (probe) {
      const auto found = probe->shapes.find(part.entry->module);
      if (found != probe->shapes.end()) return found->second.str();
    }
    return part.features < 0 ? "" : text("(*, ", part.features, ")");
  };
  std::vector<std::vector<std::string>> rows{{"Layer", "Kind", "Output", "Parameters"}};
  for (const Part& part : parts) {
    const auto& e = *part.entry;
    const char* const frozen = part.trainable == part.parameters ? ""
                               : part.trainable > 0              ? " (partly frozen)"
                                                                 : " (frozen)";
    rows.push_back({e.path.empty() ? "model" : e.path,
                    (e.module ? e.module->describe() : detail::type_name(*e.type)) + frozen, output_of(part),
                    grouped(part.parameters)});
  }
  const std::vector<std::string> lines = xgrad::detail::aligned(rows, "lllr");
  const std::string rule(lines[0].size(), '-');
  std::string all = text(lines[0], "\n", rule, "\n");
  for (std::size_t i = 1; i < lines.size(); ++i) all += lines[i] + "\n";
  return text(all, rule, "\nTotal ", grouped(total), " parameters, ", grouped(trainable), " trainable",
              state > 0 ? text(", ", grouped(state), " numbers in buffers") : "", "\n");
}

std::ostream& operator<<(std::ostream& out, const Module& model) { return out << model.summary(); }

}  // namespace xgrad::nn
