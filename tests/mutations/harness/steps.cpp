#include <autograd/autograd.hpp>
#include <mutations/harness/builder.hpp>

namespace xgrad::mutations {
namespace {

using Op = Tensor (*)(const Operand&);
using BinaryOp = Tensor (*)(const Operand&, const Operand&);
using Reduction = Tensor (*)(const Operand&, const Axes&, bool);
using Along = Tensor (*)(const Operand&, int);

struct Unary {
  Op f;
  Domain domain = Domain::any;
};
const Unary unaries[] = {
    {exp},
    {expm1},
    {sin},
    {cos},
    {atan},
    {sinh},
    {cosh},
    {tanh},
    {erf},
    {sigmoid},
    {gelu},
    {silu},
    {softplus},
    {log_sigmoid},
    {square},
    {[](const Operand& x) { return -x; }},
    {log, Domain::positive},
    {sqrt, Domain::positive},
    {rsqrt, Domain::positive},
    {log1p, Domain::positive},
    {[](const Operand& x) { return pow(x, 1.7); }, Domain::positive},
    {tan, Domain::unit},
    {asin, Domain::unit},
    {acos, Domain::unit},
    {abs, Domain::away},
    {relu, Domain::away},
    {[](const Operand& x) { return leaky_relu(x, 0.1); }, Domain::away},
    {[](const Operand& x) { return elu(x); }, Domain::away},
    {selu, Domain::away},
    {[](const Operand& x) { return Operand(1, x.place().file, x.place().line) / x; }, Domain::positive},
    {[](const Operand& x) { return clamp(x, 0, 10); }, Domain::away},
};

struct Binary {
  BinaryOp f;
  Domain a = Domain::any, b = Domain::any;
};
const Binary binaries[] = {
    {operator+ }, {operator- },
                   {
                       operator* },
                       {[](const Operand& a, const Operand& b) { return a / b; }, Domain::any, Domain::positive},
                       {pow, Domain::positive, Domain::any},
                       {atan2, Domain::any, Domain::positive},
                       {minimum, Domain::away, Domain::away},
                       {maximum, Domain::away, Domain::away},
                  };

struct Reduce {
  Reduction f;
  Domain domain = Domain::any;
};
const Reduce reductions[] = {
    {sum},
    {mean},
    {logsumexp},
    {prod, Domain::away},
    {max, Domain::distinct},
    {min, Domain::distinct},
    {[](const Operand& x, const Axes& axes, bool keep) { return variance(x, axes, keep); }, Domain::distinct},
    {[](const Operand& x, const Axes& axes, bool keep) { return stddev(x, axes, keep, 1); }, Domain::distinct},
    {[](const Operand& x, const Axes& axes, bool keep) { return norm(x, axes, keep); }, Domain::away},
    {[](const Operand& x, const Axes& axes, bool keep) { return norm(x, axes, keep, 3); }, Domain::away},
};

struct Scan {
  Along f;
  Domain domain = Domain::any;
};
const Scan scans[] = {
    {cumsum},
    {cumprod, Domain::away},
    {softmax},
    {log_softmax},
    {[](const Operand& x, int axis) { return centre(x, {axis}); }},
    {[](const Operand& x, int axis) { return sort(x, axis).values; }, Domain::distinct},
    {[](const Operand& x, int axis) { return flip(x, {axis}); }},
};

template <class T, std::size_t N>
const T& one_of(Builder& b, const T (&from)[N]) {
  return from[b.below(N)];
}

void add_binary(Builder& b, Domain first, Domain second, const std::function<Tensor(const Operands&)>& run,
                bool apart) {
  const int x = b.pick(first);
  if (x < 0) return;
  const Shape s = b.shape(x);
  const int y = b.pick(second, [&](const Shape& t) {
    Shape both;
    return broadcast(s, t, both) && both.size() <= 40;
  });
  if (y < 0 || x == y) return;
  if (apart && !Builder::in_domain(b.value(x) - b.value(y), Domain::away)) return;
  if (b.chance(0.5) || first != second) {
    b.push({x, y}, run);
  } else {
    b.push({y, x}, run);
  }
}

void add_where(Builder& b) {
  const int x = b.pick();
  const Shape s = b.shape(x);
  const int y = b.pick(Domain::any, [&](const Shape& t) {
    Shape both;
    return broadcast(s, t, both) && both == s;
  });
  if (y < 0 || x == y) return;
  b.push({x, y}, [mask = b.numbers(s) > 0](const Operands& o) {
    const Place place = o[0].place();
    return where(Operand(mask, place.file, place.line), o[0], o[1]);
  });
}

void add_reduction(Builder& b) {
  const Reduce& r = one_of(b, reductions);
  const int x = b.pick(r.domain, has_axes);
  if (x < 0) return;
  const int axis = b.below(b.shape(x).ndim());
  if (b.shape(x)[axis] < 2) return;
  const bool all = b.chance(0.1), keep = b.chance(0.4);
  b.push({x}, [f = r.f, axes = all ? std::vector<int>{} : std::vector<int>{axis}, keep](const Operands& o) {
    return f(o[0], axes, keep);
  });
}

void add_scan(Builder& b) {
  const Scan& s = one_of(b, scans);
  const int x = b.pick(s.domain, has_axes);
  if (x < 0) return;
  const int axis = b.below(b.shape(x).ndim());
  if (b.shape(x)[axis] < 2) return;
  b.push({x}, [f = s.f, axis](const Operands& o) { return f(o[0], axis); });
}

}  // namespace

void add_random_step(Builder& b) {
  if (b.unused().size() > 4 || b.chance(0.2)) {
    const Binary& k = one_of(b, binaries);
    add_binary(
        b, k.a, k.b, [f = k.f](const Operands& o) { return f(o[0], o[1]); }, k.a == Domain::away);
    return;
  }
  switch (b.below(11)) {
    case 0:
      add_where(b);
      break;
    case 1:
    case 2:
      add_reduction(b);
      break;
    case 3:
      add_scan(b);
      break;
    case 4:
      add_product(b);
      break;
    case 5:
      add_shaping(b);
      break;
    case 6:
      add_joining(b);
      break;
    case 7:
      add_indexing(b);
      break;
    case 8:
      add_layer(b);
      break;
    default: {
      const Unary& k = one_of(b, unaries);
      const int x = b.pick(k.domain);
      if (x >= 0) b.push({x}, [f = k.f](const Operands& o) { return f(o[0]); });
    }
  }
}

}  // namespace xgrad::mutations
