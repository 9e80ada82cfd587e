#include <autograd/primitive.hpp>
#include <mutations/harness/counting.hpp>
#include <mutations/harness/fault.hpp>

namespace xgrad::mutations {
namespace {

class Surveyor : public Counting {
 public:
  std::vector<Site> sites;

 private:
  void recorded(int op, const OpCall& call, const Tensor& result) override {
    Node& node = *result.node();
    for (std::uint32_t i = 0; i < node.edge_count; ++i) {
      const Edge& edge = node.edges()[i];
      sites.push_back({op, call.name, call.place.line, static_cast<int>(edge.argument), edge.input->shape(),
                       result.shape(), edge.sum_to_input && edge.input->shape() != result.shape(), true});
    }
  }
};

}  // namespace

const char* name_of(Fault fault) {
  constexpr const char* names[] = {
      "sign",      "factor 2",    "factor 1/2", "factor 1.0005", "factor n, 1/n", "transposed",           "missing sum",
      "extra sum", "stale value", "off by one", "one element",   "detached",      "saved value detached", "jitter"};
  static_assert(std::size(names) == fault_count);
  return names[static_cast<int>(fault)];
}

std::vector<Site> sites(const Program& program) {
  Tensors x;
  for (const Tensor& t : program.inputs) x.push_back(t.clone().set_requires_grad(true));
  Surveyor surveyor;
  const Observing observing(surveyor);
  program(x);
  std::vector<Site> unique;  // an op that runs twice in a step has no name of its own
  for (Site& site : surveyor.sites) {
    bool twice = false;
    for (const Site& other : surveyor.sites) {
      if (other.op == site.op || other.line != site.line) continue;
      site.whole = false;
      twice |= other.name == site.name;
    }
    if (!twice) unique.push_back(site);
  }
  return unique;
}

std::string Plan::pattern() const {
  switch (fault) {
    case Fault::sign:
      return "factor -1";
    case Fault::twice:
      return "factor 2";
    case Fault::half:
      return "factor 0.5";
    case Fault::slightly:
      return "factor 1.0005";
    case Fault::count:
      return factor < 1 ? "factor 1/n" : "factor n";
    case Fault::transposed:
      return "transposed";
    case Fault::missing_sum:
      return text("axis ", axis, " not summed");
    case Fault::extra_sum:
      return text("axis ", axis, " summed too often");
    case Fault::stale:
      return "";
    case Fault::shifted:
      return "shifted";
    case Fault::one_element:
      return "one element";
    case Fault::detached:
    case Fault::saved_detached:
      return "detached";
    case Fault::jitter:
      return "jitter";
  }
  return "";
}

std::vector<Plan> plans(Fault fault, const Site& site, std::uint64_t random) {
  const Shape& in = site.input;
  const std::int64_t size = in.size(), wide = site.output.size();
  std::vector<Plan> found;
  Plan plan{fault, site};
  const auto for_each_axis = [&](std::int64_t least) {
    for (plan.axis = 0; plan.axis < in.ndim(); ++plan.axis)
      if (in[plan.axis] >= least) found.push_back(plan);
  };
  switch (fault) {
    case Fault::count:
      if (size == wide) break;
      if (std::max(size, wide) % std::min(size, wide) != 0) break;
      plan.factor = static_cast<double>(std::max(size, wide) / std::min(size, wide));
      if (random % 2) plan.factor = 1 / plan.factor;
      if (plan.factor != 2 && plan.factor != 0.5) found.push_back(plan);
      break;
    case Fault::transposed:
      if (in.ndim() == 2 && in[0] == in[1] && in[0] > 1) found.push_back(plan);
      break;
    case Fault::missing_sum:
      for (plan.axis = 0; site.broadcast && plan.axis < site.output.ndim(); ++plan.axis) {
        const int at = plan.axis - site.output.ndim() + in.ndim();
        if (site.output[plan.axis] > 1 && (at < 0 || in[at] == 1)) found.push_back(plan);
      }
      break;
    case Fault::extra_sum:
      for_each_axis(2);
      break;
    case Fault::shifted:
      for_each_axis(3);
      break;
    case Fault::one_element:
      plan.element = static_cast<std::int64_t>(random % static_cast<std::uint64_t>(std::max<std::int64_t>(size, 1)));
      if (size >= 4) found.push_back(plan);
      break;
    case Fault::stale:
      if (size > 1 && site.whole) found.push_back(plan);
      break;
    case Fault::saved_detached:
      if (site.whole) found.push_back(plan);
      break;
    default:
      found.push_back(plan);
  }
  return found;
}

}  // namespace xgrad::mutations
