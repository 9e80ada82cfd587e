#include <algorithm>
#include <autograd/ops/table/windows.hpp>
#include <cmath>

/// References that visit every tap of every window, and look for what is normalised together among all elements.
namespace xgrad::op_table {
namespace {

/// A tap's place in x, behind (n, channel).
struct Tap {
  Index in;
  bool inside;
};
Tap tap_of(const Shape& x, const Index& out, const Index& k, const Moves& m) {
  Tap tap{{}, true};
  for (std::size_t d = 0; d < k.size(); ++d) {
    tap.in.push_back(out[d + 2] * m.stride[d] + k[d] * m.dilation[d] - m.padding[d]);
    tap.inside = tap.inside && tap.in[d] >= 0 && tap.in[d] < x[static_cast<int>(d) + 2];
  }
  return tap;
}

Shape windows(const Shape& x, const Shape& kernel, std::int64_t channels, const Moves& m) {
  Shape shape{x[0], channels};
  for (int d = 0; d < kernel.ndim(); ++d) {
    const auto i = static_cast<std::size_t>(d);
    shape.push_back((x[d + 2] + 2 * m.padding[i] - m.dilation[i] * (kernel[d] - 1) - 1) / m.stride[i] + 1);
  }
  return shape;
}

Shape kernel_of(const Values& w) { return {w.shape.begin() + 2, w.shape.end()}; }

Index joined(Index first, const Index& rest) {
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

}  // namespace

Values convolution(const std::vector<Values>& a, const Moves& m) {
  const Values &x = a[0], &w = a[1];
  const std::int64_t per_group = w.shape[1], outputs = w.shape[0] / m.groups;
  return build(windows(x.shape, kernel_of(w), w.shape[0], m), [&](const Index& at) {
    Real total = a.size() > 2 ? a[2][{at[1]}] : 0;
    for (std::int64_t c = 0; c < per_group; ++c)
      each_index(kernel_of(w), [&](const Index& k) {
        const Tap tap = tap_of(x.shape, at, k, m);
        if (tap.inside) total += x[joined({at[0], at[1] / outputs * per_group + c}, tap.in)] * w[joined({at[1], c}, k)];
      });
    return total;
  });
}

Values transposed_convolution(const std::vector<Values>& a, const Moves& m, const Index& more) {
  const Values &x = a[0], &w = a[1];
  const std::int64_t outputs = w.shape[1], per_group = w.shape[0] / m.groups;
  Shape shape{x.shape[0], outputs * m.groups};
  for (int d = 2; d < x.shape.ndim(); ++d) {
    const auto i = static_cast<std::size_t>(d - 2);
    shape.push_back((x.shape[d] - 1) * m.stride[i] - 2 * m.padding[i] + m.dilation[i] * (w.shape[d] - 1) + 1 + more[i]);
  }
  Values y = build(shape, [&](const Index& at) { return a.size() > 2 ? a[2][{at[1]}] : 0; });
  each_index(x.shape, [&](const Index& at) {
    for (std::int64_t o = 0; o < outputs; ++o)
      each_index(kernel_of(w), [&](const Index& k) {
        const Tap tap = tap_of(shape, at, k, m);
        if (tap.inside) y[joined({at[0], at[1] / per_group * outputs + o}, tap.in)] += x[at] * w[joined({at[1], o}, k)];
      });
  });
  return y;
}

ElementReference pooled(const Shape& kernel, const Moves& m, Combine combine) {
  return [=](const std::vector<Values>& a) {
    return build(windows(a[0].shape, kernel, a[0].shape[1], m), [&](const Index& at) {
      std::vector<Real> inside;
      each_index(kernel, [&](const Index& k) {
        const Tap tap = tap_of(a[0].shape, at, k, m);
        if (tap.inside) inside.push_back(a[0][joined({at[0], at[1]}, tap.in)]);
      });
      return combine(inside);
    });
  };
}

Real sum_of(const std::vector<Real>& v) {
  Real total = 0;
  for (const Real e : v) total += e;
  return total;
}
Real mean_of(const std::vector<Real>& v) { return sum_of(v) / static_cast<Real>(v.size()); }
Real largest_of(const std::vector<Real>& v) { return *std::max_element(v.begin(), v.end()); }

ElementReference along_axes(const Index& sizes,
                            Real (*weight)(std::int64_t, std::int64_t, std::int64_t, std::int64_t)) {
  return [=](const std::vector<Values>& a) {
    Values y = a[0];
    for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
      Shape shape = y.shape;
      const std::int64_t n = shape[static_cast<int>(axis) + 2];
      shape[static_cast<int>(axis) + 2] = sizes[axis];
      const Values before = y;
      y = build(shape, [&](const Index& at) {
        Real total = 0;
        Index from = at;
        for (std::int64_t j = 0; j < n; ++j) {
          from[axis + 2] = j;
          if (const Real w = weight(at[axis + 2], j, n, sizes[axis]); w != 0) total += w * before[from];
        }
        return total;
      });
    }
    return y;
  };
}

Real adaptive(std::int64_t i, std::int64_t j, std::int64_t n, std::int64_t size) {
  const std::int64_t first = i * n / size, last = ((i + 1) * n + size - 1) / size;
  return j >= first && j < last ? Real(1) / static_cast<Real>(last - first) : 0;
}

Values normalised(const std::vector<Values>& a, const Together& together, bool centred, Real eps,
                  const std::function<Index(const Index&)>& place) {
  const Values& x = a[0];
  return build(x.shape, [&](const Index& at) {
    Real total = 0, squares = 0, count = 0;
    const auto each_other = [&](const std::function<void(Real)>& visit) {
      each_index(x.shape, [&](const Index& other) {
        if (together(x.shape, at, other)) visit(x[other]);
      });
    };
    each_other([&](Real e) { total += e, ++count; });
    const Real mean = centred ? total / count : 0;
    each_other([&](Real e) { squares += (e - mean) * (e - mean); });
    const Real y = (x[at] - mean) / std::sqrt(squares / count + eps);
    return y * (a.size() > 1 ? a[1][place(at)] : 1) + (a.size() > 2 ? a[2][place(at)] : 0);
  });
}

Values group_normalised(const std::vector<Values>& a, std::int64_t groups, Real eps) {
  const auto together = [groups](const Shape& shape, const Index& one, const Index& other) {
    const std::int64_t in_group = shape[1] / groups;
    return one[0] == other[0] && one[1] / in_group == other[1] / in_group;
  };
  return normalised(a, together, true, eps, [](const Index& at) { return Index{at[1]}; });
}

Values by_moments(const Values& x, const Values& mean, const Values& variance, const Values* w, const Values* b) {
  return build(x.shape, [&](const Index& at) {
    const Index c{at[1]};
    const Real y = (x[at] - mean[c]) / std::sqrt(variance[c] + 1e-5L);
    return y * (w ? (*w)[c] : 1) + (b ? (*b)[c] : 0);
  });
}

}  // namespace xgrad::op_table
