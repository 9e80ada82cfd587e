#include <autograd/autograd.hpp>
#include <mutations/harness/builder.hpp>
#include <nn/nn.hpp>

namespace xgrad::mutations {
namespace {

Tensor indices(Builder& b, const Shape& shape, std::int64_t below) {
  Tensor t = zeros(shape, {.dtype = i64});
  for (std::int64_t i = 0; i < t.size(); ++i) t.data<std::int64_t>()[i] = b.below(static_cast<int>(below));
  return t;
}

bool is_matrix(const Shape& s) { return s.ndim() == 2; }

}  // namespace

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

}  // namespace xgrad::mutations
