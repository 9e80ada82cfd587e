// Runs a gradient check: takes the inputs, chooses how to take differences, and goes through the orders.
#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/gradcheck/rounding.hpp>
#include <autograd/kernels/table.hpp>
#include <autograd/ops.hpp>
#include <cstring>

namespace xgrad {

using namespace checking;

Numbers checking::values(const Tensors& tensors) {
  Numbers all;
  for (const Tensor& t : tensors) {
    const std::size_t at = all.size();
    all.resize(at + static_cast<std::size_t>(t.size()));
    if (t.size() > 0) kernels::table().cast[int(t.dtype())][int(f64)](t.array().data(), all.data() + at, t.size());
  }
  return all;
}

bool checking::same_bits(const Numbers& a, const Numbers& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

Tensor checking::own(const Tensor& t, Dtype dtype, bool leaf) {
  Tensor copy = t.detach().clone().to(dtype);
  return leaf ? copy.set_requires_grad(true) : copy;
}

void Gradchecker::take_inputs(const Tensors& inputs) {
  for (const auto& [name, value] : {std::pair("rtol", options_.rtol), {"atol", options_.atol}})
    if (!(value >= 0 && std::isfinite(value)))
      scope_.fail<ValueError>(name, " is ", value, "; expected a finite number of 0 or more");
  bool any = false, narrow = false;
  for (std::size_t i = 0; i < given_; ++i) {
    if (!inputs[i].defined()) scope_.fail<ValueError>("input ", i, " is undefined (default-built)");
    any |= is_floating(inputs[i].dtype());
    narrow |= inputs[i].dtype() == f32;
  }
  if (!any)
    scope_.fail<ValueError>("none of the ", given_,
                            " inputs is of type f32 or f64, so there is no gradient to check; pass an f64 tensor");
  f_.check_takes(scope_, given_);
  if (options_.order < 1) scope_.fail<ValueError>("the order is ", options_.order, "; expected 1 or more");
  for (const int i : options_.inputs) {
    if (i < 0 || static_cast<std::size_t>(i) >= given_)
      scope_.fail<ValueError>("inputs names input ", i, ", but f is given ", given_, "; expected indices from 0 to ",
                              given_ - 1);
    const Dtype dtype = inputs[static_cast<std::size_t>(i)].dtype();
    if (!is_floating(dtype))
      scope_.fail<ValueError>("inputs names input ", i, ", which is of type ", name_of(dtype),
                              "; only f32 and f64 have derivatives");
  }
  for (std::size_t i = 0; i < given_; ++i) {
    const DetachedScope detached;
    const auto& named = options_.inputs;
    const bool meant = named.empty() || std::find(named.begin(), named.end(), static_cast<int>(i)) != named.end();
    add_input(inputs[i], meant && is_floating(inputs[i].dtype()));
    originals_.push_back(own(inputs[i], inputs[i].dtype(), false));
  }
  input_counts_.push_back(given_);
  if (narrow) choose_numeric_side();
}

void Gradchecker::add_input(const Tensor& value, bool checked) {
  const bool widened = is_floating(value.dtype()) && !tolerance_.single;
  leaves_.push_back(own(value, value.dtype(), checked));
  probes_.push_back(own(value, widened ? f64 : value.dtype(), checked));
  checked_.push_back(checked);
  report_.shapes_.push_back(value.shape());
}

/// f32 inputs: f64 differences if f runs in f64 and stays there.
void Gradchecker::choose_numeric_side() {
  try {
    const Tensors ys = call(probes_);
    tolerance_.single =
        std::any_of(ys.begin(), ys.end(), [](const Tensor& y) { return y.defined() && y.dtype() == f32; });
  } catch (const DtypeError&) {
    tolerance_.single = true;
  }
  auto& [rtol, atol, single] = tolerance_;
  rtol = std::max(rtol, single ? f32_rtol : 1e-3);
  atol = std::max(atol, single ? f32_atol : 1e-5);
  if (single) {
    for (std::size_t i = 0; i < given_; ++i)
      probes_[i] = own(leaves_[i], leaves_[i].dtype(), leaves_[i].requires_grad());
    report_.notes_.push_back(text("f does not run in f64: differences are taken in f32, h = 5e-3 max(1, |x|), rtol ",
                                  rtol, ", atol ", atol, "; a small error would not be seen"));
  } else {
    report_.notes_.push_back(
        text("f32 inputs: differences are taken in f64 and compared with rtol ", rtol, ", atol ", atol));
  }
}

Tensors Gradchecker::call(const Tensors& in) const {
  const DetachedScope detached;
  const EnableGrad recording;
  return f_(Tensors(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(given_)));
}

Tensors Gradchecker::checked(const Tensors& in, std::size_t count) const {
  Tensors result;
  for (std::size_t i = 0; i < count; ++i)
    if (checked_[i]) result.push_back(in[i]);
  return result;
}

/// The function whose derivative order `order` is: f itself, and above it the gradients of the lower order's outputs,
/// each multiplied by a cotangent that is an input too.
Tensors Gradchecker::outputs(int order, const Tensors& in, bool graph) const {
  if (order == 1) {
    Tensors ys = call(in);
    for (const Tensor& y : ys) {
      if (!y.defined()) scope_.fail<ValueError>("f returned an undefined (default-built) tensor");
      if (!is_floating(y.dtype())) scope_.fail<DtypeError>("f returned a tensor of type ", name_of(y.dtype()));
    }
    return ys;
  }
  const std::size_t used = inputs_of(order - 1);
  const Tensors ys = outputs(order - 1, in, true), by = checked(in, used);
  const DetachedScope detached;
  const EnableGrad recording;
  Tensor total;
  for (std::size_t k = 0; k < ys.size(); ++k) {
    if (!ys[k].requires_grad()) continue;
    const Tensor part = sum(ys[k] * in[used + k].to(ys[k].dtype())).to(f64);
    total = total.defined() ? total + part : part;
  }
  if (total.defined()) return grad(total, by, {.create_graph = graph, .retain_graph = true, .zeros_if_unused = true});
  Tensors zero;
  for (const Tensor& t : by) zero.push_back(zeros(t.shape(), {.dtype = t.dtype()}));
  return zero;
}

/// The outputs' numbers at the probes; false if f throws there.
bool Gradchecker::probe(int order, Numbers& y) {
  try {
    y = values(outputs(order, probes_, false));
    return true;
  } catch (const std::exception& e) {
    if (thrown_.empty()) thrown_ = e.what();
    return false;
  }
}

/// d(sum of cotangent * outputs)/d(every checked input), flat.
Numbers Gradchecker::gradient(const Tensors& ys, const Numbers& cotangent) const {
  const DetachedScope detached;
  const Tensors by = checked(leaves_, leaves_.size());
  Numbers total;
  std::size_t at = 0;
  for (const Tensor& y : ys) {
    const auto size = static_cast<std::size_t>(y.size());
    const auto begin = cotangent.begin() + static_cast<std::ptrdiff_t>(at);
    at += size;
    const bool all_zero =
        std::all_of(begin, begin + static_cast<std::ptrdiff_t>(size), [](double v) { return v == 0; });
    if (!y.requires_grad() || (all_zero && ys.size() > 1)) continue;
    Tensor g = zeros(y.shape(), {.dtype = y.dtype()});
    for (std::size_t i = 0; i < size; ++i) set(g, static_cast<std::int64_t>(i), begin[static_cast<std::ptrdiff_t>(i)]);
    const Numbers part = values(grad(y, by, g, {.retain_graph = true, .zeros_if_unused = true}));
    if (total.empty()) total.resize(part.size());
    for (std::size_t i = 0; i < part.size(); ++i) total[i] += part[i];
  }
  if (total.empty()) {
    std::size_t size = 0;
    for (const Tensor& t : by) size += static_cast<std::size_t>(t.size());
    total.resize(size);
  }
  return total;
}

namespace {

Tensor gaussian(const Tensor& like, Gaussian& draw) {
  Tensor t = zeros(like.shape(), {.dtype = like.dtype()});
  for (std::int64_t i = 0; i < t.size(); ++i) set(t, i, draw());
  return t;
}

}  // namespace

GradcheckReport Gradchecker::run() {
  for (int order = 1; order <= options_.order; ++order) {
    if (order > 1) {
      Gaussian draw(options_.seed + 31 * static_cast<std::uint64_t>(order));
      for (const Tensor& y : outputs(order - 1, leaves_, false)) {
        const DetachedScope detached;
        add_input(gaussian(y, draw), true);
      }
      input_counts_.push_back(leaves_.size());
    }
    const std::int64_t failures = report_.count(Verdict::fail);
    const std::size_t problems = report_.problems_.size();
    SeesF32 narrow;
    Tensors ys;
    {
      const Observing observing(narrow);
      ys = outputs(order, leaves_, true);
    }
    narrow_ |= narrow.seen;
    check_identities(order, ys);
    if (options_.order > 1 && order == 1) {
      check_adjoint(ys);
      check_symmetry(ys);
    }
    std::int64_t elements = 0, size = 0;
    for (const Tensor& t : checked(leaves_, leaves_.size())) elements += t.size();
    for (const Tensor& y : ys) size += y.size();
    if (elements * size <= options_.full_limit) {
      check_elements(order, ys, {{}, static_cast<std::size_t>(size)});
    } else if (check_directions(order, ys)) {
      report_.notes_.push_back(text("order ", order, ": ", size, " outputs by ", elements,
                                    " inputs are checked along three random directions, seed ", options_.seed));
    } else {
      report_.notes_.push_back(text("order ", order, ": a random direction failed (seed ", options_.seed,
                                    "); three random sums of the outputs are checked by single elements"));
      Rows rows{{}, 3};
      Gaussian draw(options_.seed + 7 * static_cast<std::uint64_t>(order));
      for (int k = 0; k < 3; ++k) {
        rows.sums.emplace_back(static_cast<std::size_t>(size));
        for (double& c : rows.sums.back()) c = draw();
      }
      check_elements(order, ys, std::move(rows));
    }
    const bool failed = report_.count(Verdict::fail) > failures || report_.problems_.size() > problems;
    if (options_.locate == Locate::always || (failed && options_.locate == Locate::on_failure)) locate(order);
  }
  check_inputs_unchanged();
  if (const std::int64_t n = report_.count(Verdict::unreliable); n > 0)
    report_.notes_.push_back(
        text(n, " UNRELIABLE: nothing was shown wrong there, but differences are too coarse to tell; ",
             narrow_ ? "f computes in f32 inside: let it run in f64"
                     : "take inputs of the order of 1, and no large numbers that cancel"));
  if (!thrown_.empty()) report_.notes_.push_back(text("f threw beside the point: ", thrown_));
  const auto rank = [](Verdict v) {
    constexpr int ranks[] = {4, 0, 3, 1, 2};
    return ranks[static_cast<int>(v)];
  };
  auto& entries = report_.entries_;
  const std::size_t kept = std::min<std::size_t>(entries.size(), 100);
  std::partial_sort(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(kept), entries.end(),
                    [&](const GradcheckEntry& a, const GradcheckEntry& b) {
                      if (rank(a.verdict) != rank(b.verdict)) return rank(a.verdict) < rank(b.verdict);
                      return a.badness > b.badness;
                    });
  entries.resize(kept);
  return std::move(report_);
}

GradcheckReport detail::gradcheck(TensorFunction f, const std::vector<Tensor>& inputs, const GradcheckOptions& options,
                                  Place place, std::vector<std::string> names) {
  const OpScope scope("gradcheck", place);
  return Gradchecker(f, inputs, options, scope, std::move(names)).run();
}

}  // namespace xgrad
