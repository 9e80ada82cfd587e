#include <autograd/autograd.hpp>
#include <mutations/harness/builder.hpp>
#include <nn/nn.hpp>

namespace xgrad::mutations {
namespace {

using Op = Tensor (*)(const Operand&);
using BinaryOp = Tensor (*)(const Operand&, const Operand&);
using Reduction = Tensor (*)(const Operand&, const std::vector<int>&, bool);
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
    {[](const Operand& x, const std::vector<int>& axes, bool keep) { return variance(x, axes, keep); },
     Domain::distinct},
    {[](const Operand& x, const std::vector<int>& axes, bool keep) { return stddev(x, axes, keep, 1); },
     Domain::distinct},
    {[](const Operand& x, const std::vector<int>& axes, bool keep) { return norm(x, axes, keep); }, Domain::away},
    {[](const Operand& x, const std::vector<int>& axes, bool keep) { return norm(x, axes, keep, 3); }, Domain::away},
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

Tensor indices(Builder& b, const Shape& shape, std::int64_t below) {
  Tensor t = zeros(shape, {.dtype = i64});
  for (std::int64_t i = 0; i < t.size(); ++i) t.data<std::int64_t>()[i] = b.below(static_cast<int>(below));
  return t;
}

bool has_axes(const Shape& s) { return s.ndim() > 0; }
bool is_matrix(const Shape& s) { return s.ndim() == 2; }

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

void add_product(Builder& b) {
  const int x = b.pick(Domain::any, is_matrix);
  if (x < 0) return;
  const std::int64_t rows = b.shape(x)[0], columns = b.shape(x)[1];
  switch (b.below(5)) {
    case 0: {
      const int y = b.pick(Domain::any, [&](const Shape& s) { return is_matrix(s) && s[0] == columns; });
      if (y >= 0) b.push({x, y}, [](const Operands& o) { return matmul(o[0], o[1]); });
      break;
    }
    case 1: {
      const int y = b.pick(Domain::any, [&](const Shape& s) { return is_matrix(s) && s[0] == rows; });
      if (y >= 0) b.push({x, y}, [](const Operands& o) { return matmul(o[0], o[1], {.transpose_a = true}); });
      break;
    }
    case 2: {
      const int w = b.pick(Domain::any, [&](const Shape& s) { return is_matrix(s) && s[0] == columns; });
      if (w < 0) break;
      const std::int64_t units = b.shape(w)[1];
      const int bias = b.pick(Domain::any, [&](const Shape& s) { return s == Shape{units}; });
      if (bias >= 0) {
        b.push({x, w, bias}, [](const Operands& o) { return dense(o[0], o[1], o[2].tensor()); });
      } else {
        b.push({x, w}, [](const Operands& o) { return dense(o[0], o[1]); });
      }
      break;
    }
    case 3: {
      const int y = b.pick(Domain::any, [](const Shape& s) { return s.ndim() == 1 && s[0] <= 6; });
      const int z = b.pick(Domain::any, [](const Shape& s) { return s.ndim() == 1 && s[0] <= 6; });
      if (y >= 0 && z >= 0 && y != z) b.push({y, z}, [](const Operands& o) { return outer(o[0], o[1]); });
      break;
    }
    case 4: {
      const int y = b.pick(Domain::any, [&](const Shape& s) { return s == Shape{columns}; });
      if (y >= 0) b.push({x, y}, [](const Operands& o) { return matmul(o[0], o[1]); });
      break;
    }
  }
}

void add_shaping(Builder& b) {
  const int x = b.pick(Domain::any, has_axes);
  if (x < 0) return;
  const Shape s = b.shape(x);
  const int axis = b.below(s.ndim());
  switch (b.below(6)) {
    case 0:
      if (s.ndim() >= 2) b.push({x}, [](const Operands& o) { return transpose(o[0]); });
      break;
    case 1:
      if (s.ndim() == 3) b.push({x}, [](const Operands& o) { return permute(o[0], {2, 0, 1}); });
      break;
    case 2:
      if (s.size() % 2 == 0) b.push({x}, [](const Operands& o) { return reshape(o[0], {-1, 2}); });
      break;
    case 3:
      b.push({x}, [axis](const Operands& o) { return unsqueeze(o[0], axis); });
      break;
    case 4:
      if (s.size() <= 12) {
        Shape wide{2};
        for (const std::int64_t n : s) wide.push_back(n);
        b.push({x}, [wide](const Operands& o) { return broadcast_to(o[0], wide); });
      }
      break;
    case 5:
      if (s.ndim() == 2 && s[0] > 1) b.push({x}, [last = s[1]](const Operands& o) { return sum_to(o[0], {1, last}); });
      break;
  }
}

void add_joining(Builder& b) {
  const int x = b.pick(Domain::any, has_axes);
  if (x < 0) return;
  const Shape s = b.shape(x);
  const int axis = b.below(s.ndim());
  switch (b.below(4)) {
    case 0: {
      const int y = b.pick(Domain::any, [&](const Shape& t) {
        if (t.ndim() != s.ndim() || s.size() + t.size() > 40) return false;
        for (int d = 0; d < s.ndim(); ++d)
          if (d != axis && s[d] != t[d]) return false;
        return true;
      });
      if (y >= 0 && y != x)
        b.push({x, y}, [axis](const Operands& o) {
          return concatenate({o[0].tensor(), o[1].tensor()}, axis, o[0].place());
        });
      break;
    }
    case 1: {
      const int y = b.pick(Domain::any, [&](const Shape& t) { return t == s && s.size() <= 20; });
      if (y >= 0 && y != x)
        b.push({x, y}, [](const Operands& o) { return stack({o[0].tensor(), o[1].tensor()}, 1, o[0].place()); });
      break;
    }
    case 2:
      if (s.size() <= 16)
        b.push({x}, [axis, before = b.below(2), value = b.uniform(-1, 1), ndim = s.ndim()](const Operands& o) {
          std::vector<std::pair<int, int>> widths(static_cast<std::size_t>(ndim));
          widths[static_cast<std::size_t>(axis)] = {before, 1};
          return pad(o[0], widths, value);
        });
      break;
    case 3:
      if (s.size() <= 16)
        b.push({x}, [axis, ndim = s.ndim()](const Operands& o) {
          std::vector<std::int64_t> reps(static_cast<std::size_t>(ndim), 1);
          reps[static_cast<std::size_t>(axis)] = 2;
          return tile(o[0], reps);
        });
      break;
  }
}

void add_indexing(Builder& b) {
  const int x = b.pick(Domain::any, [](const Shape& s) { return s.ndim() > 0 && s.size() >= 4; });
  if (x < 0) return;
  const Shape s = b.shape(x);
  const int axis = b.below(s.ndim());
  const std::int64_t n = s[axis];
  if (n < 2) return;
  switch (b.below(5)) {
    case 0:
      b.push({x}, [axis, n](const Operands& o) { return slice(o[0], axis, 1, n); });
      break;
    case 1:
      b.push({x}, [axis, n](const Operands& o) { return slice(o[0], axis, 0, n, 2); });
      break;
    case 2:
      b.push({x}, [axis, index = indices(b, s, n)](const Operands& o) { return gather(o[0], axis, index); });
      break;
    case 3: {
      const Tensor index = indices(b, {3}, n);
      if (s.size() / n * 3 <= 40) b.push({x}, [axis, index](const Operands& o) { return take(o[0], index, axis); });
      break;
    }
    case 4: {
      const int source = b.pick(Domain::any, [&](const Shape& t) { return t == s; });
      if (source >= 0 && source != x)
        b.push({x, source},
               [axis, index = indices(b, {n}, n)](const Operands& o) { return index_add(o[0], axis, index, o[1]); });
      break;
    }
  }
}

void add_layer(Builder& b) {
  const int x = b.pick(Domain::any, [](const Shape& s) { return s.ndim() == 2 && s[1] <= 4 && s[1] > 1; });
  if (x < 0) return;
  const Shape s = b.shape(x);
  switch (b.below(4)) {
    case 0: {
      nn::Dense layer(s[1], 3, {.dtype = f64});
      const NoGrad constant;
      layer.weight.assign(b.numbers({s[1], 3}));
      layer.bias.assign(b.numbers({3}));
      b.push({x}, [layer](const Operands& o) { return layer(o[0]); });
      break;
    }
    case 1:
      b.push({x}, [t = sigmoid(b.numbers(s))](const Operands& o) {
        return nn::binary_cross_entropy_with_logits(o[0], t, nn::Reduction::none);
      });
      break;
    case 2:
      b.push({x}, [t = indices(b, {s[0]}, s[1])](const Operands& o) {
        return nn::cross_entropy(o[0], t, nn::Reduction::none);
      });
      break;
    case 3:
      b.push({x}, [t = b.numbers(s)](const Operands& o) { return nn::mse_loss(o[0], t, nn::Reduction::none); });
      break;
  }
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
