// Recognises common mistakes by what a wrong derivative is to the right one.
#include <autograd/gradcheck/patterns.hpp>

namespace xgrad::checking {

namespace {

/// Row-major indices of a shape.
class Axes {
 public:
  explicit Axes(const Shape& shape) : shape_(shape) {}
  int count() const { return shape_.ndim(); }
  std::int64_t size(int axis) const { return shape_[axis]; }
  std::int64_t stride(int axis) const { return shape_.product(axis + 1, shape_.ndim()); }
  std::int64_t at(std::int64_t flat, int axis) const { return flat / stride(axis) % shape_[axis]; }
  /// The element whose index along `axis` is `i` instead.
  std::int64_t with(std::int64_t flat, int axis, std::int64_t i) const {
    return flat + (i - at(flat, axis)) * stride(axis);
  }
  /// Where an element stands when the last two axes change places, in memory.
  std::int64_t transposed(std::int64_t flat) const {
    const int d = count();
    const std::int64_t rows = size(d - 2), columns = size(d - 1), matrix = flat / (rows * columns);
    const std::int64_t i = flat / columns % rows, j = flat % columns;
    return matrix * rows * columns + j * rows + i;
  }

  /// The element that stands there then.
  std::int64_t inverse(std::int64_t flat) const {
    const int d = count();
    const std::int64_t rows = size(d - 2), columns = size(d - 1), matrix = flat / (rows * columns);
    const std::int64_t j = flat / rows % columns, i = flat % rows;
    return matrix * rows * columns + i * columns + j;
  }

 private:
  const Shape& shape_;
};

/// One that compares.
class Comparison {
 public:
  explicit Comparison(const Block& block) : b_(block), in_(block.input), out_(block.output) {
    for (std::size_t k = 0; k < b_.cotangents.size(); ++k)
      for (std::size_t s = 0; s < b_.elements.size(); ++s)
        scale_ = std::max({scale_, std::fabs(numeric(k, s)), std::fabs(analytic(k, s))});
  }

  Pattern recognise() const {
    if (everywhere([](std::size_t, std::size_t) { return 0.0; }))
      return {"detached", "no gradient arrives although the output depends on the input"};
    if (b_.alone && b_.input.size() > 1) return {"one element", "all other elements are right"};
    if (Pattern p = constant_factor(); !p.name.empty()) return p;
    if (Pattern p = rearranged(); !p.name.empty()) return p;
    if (Pattern p = summed(); !p.name.empty()) return p;
    if (Pattern p = shifted_cotangent(); !p.name.empty()) return p;
    return {"", "", false};
  }

 private:
  bool has_columns() const { return b_.columns.size() == b_.elements.size(); }
  /// The numeric vjp of another cotangent at the known elements.
  Numbers pulled(const Numbers& v) const {
    Numbers g(b_.elements.size());
    for (std::size_t s = 0; s < g.size(); ++s)
      for (std::size_t o = 0; o < v.size(); ++o)
        if (v[o] != 0) g[s] += v[o] * b_.columns[s][o];
    return g;
  }
  double analytic(std::size_t k, std::size_t s) const {
    return b_.analytic[k][static_cast<std::size_t>(b_.elements[s])];
  }
  double numeric(std::size_t k, std::size_t s) const { return b_.numeric[k][s]; }
  bool close(double a, double b, std::size_t k, std::size_t s) const {
    return std::fabs(a - b) <= 1e-3 * b_.rtol * scale_ + 2 * b_.rtol * std::fabs(b) + 2 * b_.errors[k][s];
  }
  /// Whether the analytic vjp is expected(cotangent, known element) in all but a few places.
  template <class Expected>
  bool everywhere(Expected expected, std::size_t exceptions = 0) const {
    std::size_t wrong = 0;
    for (std::size_t k = 0; k < b_.cotangents.size(); ++k)
      for (std::size_t s = 0; s < b_.elements.size(); ++s)
        if (!close(analytic(k, s), expected(k, s), k, s) && ++wrong > exceptions * b_.cotangents.size()) return false;
    return !b_.elements.empty();
  }
  Pattern constant_factor() const {
    double across = 0, square = 0;
    for (std::size_t k = 0; k < b_.cotangents.size(); ++k) {
      for (std::size_t s = 0; s < b_.elements.size(); ++s) {
        across += numeric(k, s) * analytic(k, s);
        square += numeric(k, s) * numeric(k, s);
      }
    }
    const double c = across / square;
    if (!std::isfinite(c) || !everywhere([&](std::size_t k, std::size_t s) { return c * numeric(k, s); })) return {};
    const auto is = [&](double value) { return std::fabs(c - value) <= 1e-4 * std::fabs(value); };
    if (is(-1)) return {"factor -1", "the sign is wrong"};
    if (is(2)) return {"factor 2", "counted twice, or a square's 2 too many"};
    if (is(0.5)) return {"factor 0.5", "half is missing: one of two equal contributions, or a square's 2"};
    for (const std::int64_t n : sizes()) {
      const auto size = static_cast<double>(n);
      if (is(size)) return {"factor n", text("n = ", n, ": a sum where a mean is meant, or a missing division")};
      if (is(1 / size)) return {"factor 1/n", text("n = ", n, ": a mean where a sum is meant, or divided twice")};
    }
    char name[40];
    std::snprintf(name, sizeof name, "factor %.6g", c);
    for (const double k : {3., 4., 5., 6., 7., 8., 9.}) {
      if (is(k)) return {name, text(k, " times what it should be"), false};
      if (is(1 / k)) return {name, text("1/", k, " of what it should be"), false};
    }
    return {name, "all elements are off by the same factor", false};
  }
  /// Numbers of elements along axes, or of all: what a mean divides by.
  std::vector<std::int64_t> sizes() const {
    std::vector<std::int64_t> result;
    for (const Shape* shape : {&b_.input, &b_.output}) {
      const int d = shape->ndim();
      for (int first = 0; first < d; ++first)
        for (int last = first + 1; last <= d; ++last) result.push_back(shape->product(first, last));
    }
    if (b_.output.size() > 0 && b_.input.size() % b_.output.size() == 0)
      result.push_back(b_.input.size() / b_.output.size());
    std::erase_if(result, [](std::int64_t n) { return n < 2; });
    return result;
  }

  /// Whether the rule takes for each output the cotangent of another one, or of none.
  template <class From>
  bool moved_output(From from) const {
    return on_output([&](const Numbers& v) {
      Numbers t(v.size());
      for (std::size_t o = 0; o < v.size(); ++o) {
        const std::int64_t i = from(static_cast<std::int64_t>(o));
        if (i >= 0) t[o] = v[static_cast<std::size_t>(i)];
      }
      return t;
    });
  }

  Pattern shifted_cotangent() const {
    for (int d = 0; d < out_.count(); ++d) {
      const std::int64_t n = out_.size(d);
      for (const std::int64_t by : {1, -1}) {
        const auto turned = [&](std::int64_t o) { return out_.with(o, d, (out_.at(o, d) + by + n) % n); };
        const auto dropped = [&](std::int64_t o) {
          const std::int64_t i = out_.at(o, d) + by;
          return i < 0 || i >= n ? -1 : out_.with(o, d, i);
        };
        if (n > 1 && (moved_output(turned) || moved_output(dropped)))
          return {"shifted", text("the cotangent by ", by, " along axis ", d)};
      }
    }
    return {};
  }

  Pattern rearranged() const {
    const auto reads = [&](auto&& from, std::size_t exceptions) {
      std::size_t wrong = 0;
      for (std::size_t k = 0; k < b_.cotangents.size(); ++k) {
        for (std::size_t s = 0; s < b_.elements.size(); ++s) {
          const std::int64_t e = from(b_.elements[s]);
          const bool right =
              e >= 0 && e < b_.input.size() && close(b_.analytic[k][static_cast<std::size_t>(e)], numeric(k, s), k, s);
          if (!right && ++wrong > exceptions * b_.cotangents.size()) return false;
        }
      }
      return true;
    };
    const auto known = b_.elements.size();
    if (in_.count() >= 2 && reads([&](std::int64_t e) { return in_.transposed(e); }, 0))
      return {"transposed", "the last two axes have changed places"};
    if (b_.input.size() == b_.output.size() && b_.complete() && has_columns()) {
      // J v instead of J^T v: an operand that was not transposed.
      const auto pushed = [&](std::size_t k, std::size_t s) {
        double sum = 0;
        for (std::size_t i = 0; i < known; ++i) sum += b_.columns[i][s] * b_.cotangents[k][i];
        return sum;
      };
      if (everywhere(pushed)) return {"transposed", "the Jacobian is used where its transpose is meant"};
    }
    if (out_.count() >= 2 && moved_output([&](std::int64_t o) { return out_.inverse(o); }))
      return {"transposed", "the cotangent's last two axes have changed places"};
    for (int d = 0; d < in_.count(); ++d) {
      const std::int64_t n = in_.size(d);
      if (n < 3) continue;
      const std::size_t edge = known / static_cast<std::size_t>(n) + 1;
      for (const std::int64_t by : {1, -1}) {
        if (reads([&](std::int64_t e) { return in_.with(e, d, (in_.at(e, d) + by + n) % n); }, edge))
          return {"shifted", text("by ", by, " along axis ", d)};
      }
    }
    for (const std::int64_t by : {1, -1})
      if (known > 2 && reads([&](std::int64_t e) { return (e + by + b_.input.size()) % b_.input.size(); }, 1))
        return {"shifted", text("by ", by, " in memory")};
    return {};
  }

  /// Whether the rule does with a cotangent what differences do with transform(cotangent).
  template <class Transform>
  bool on_output(Transform transform) const {
    if (!has_columns()) return false;
    for (std::size_t k = 0; k < b_.cotangents.size(); ++k) {
      const Numbers expected = pulled(transform(b_.cotangents[k]));
      for (std::size_t s = 0; s < expected.size(); ++s)
        if (!close(analytic(k, s), expected[s], k, s)) return false;
    }
    return true;
  }

  Pattern summed() const {
    for (int d = 0; d < in_.count(); ++d) {
      if (in_.size(d) < 2) continue;
      if (const double c = sum_along(d); c != 0)
        return {text("axis ", d, " summed too often"),
                c == 1 ? "every element has the sum over the axis" : "every element has the mean over the axis"};
    }
    for (int d = 0; d < out_.count(); ++d) {
      if (out_.size(d) < 2) continue;
      const auto summed = [&](const Numbers& v) {
        Numbers t(v.size());
        for (std::size_t o = 0; o < v.size(); ++o)
          for (std::int64_t i = 0; i < out_.size(d); ++i)
            t[o] += v[static_cast<std::size_t>(out_.with(static_cast<std::int64_t>(o), d, i))];
        return t;
      };
      if (on_output(summed))
        return {text("axis ", d, " summed too often"), "the cotangent was summed over an axis that stays"};
      for (const std::int64_t kept : {std::int64_t{0}, out_.size(d) - 1}) {
        const auto one = [&](const Numbers& v) {
          Numbers t(v.size());
          for (std::size_t o = 0; o < v.size(); ++o)
            if (out_.at(static_cast<std::int64_t>(o), d) == kept) t[o] = v[o];
          return t;
        };
        if (on_output(one))
          return {text("axis ", d, " not summed"), text("only the cotangents at ", kept, " along the axis arrive")};
      }
    }
    return {};
  }
  /// 1 or 1/n if every analytic element is so many times the numeric sum along the axis; 0 otherwise.
  double sum_along(int d) const {
    const std::int64_t n = in_.size(d);
    std::vector<std::size_t> where(static_cast<std::size_t>(b_.input.size()), b_.elements.size());
    for (std::size_t s = 0; s < b_.elements.size(); ++s) where[static_cast<std::size_t>(b_.elements[s])] = s;
    for (const double c : {1.0, 1 / static_cast<double>(n)}) {
      std::size_t compared = 0;
      bool same = true;
      for (std::size_t s = 0; s < b_.elements.size() && same; ++s) {
        for (std::size_t k = 0; k < b_.cotangents.size() && same; ++k) {
          double sum = 0;
          bool all = true;
          for (std::int64_t i = 0; i < n && all; ++i) {
            const std::size_t at = where[static_cast<std::size_t>(in_.with(b_.elements[s], d, i))];
            all = at < b_.elements.size();
            if (all) sum += numeric(k, at);
          }
          if (!all) continue;
          same = close(analytic(k, s), c * sum, k, s);
          ++compared;
        }
      }
      if (same && compared > 0) return c;
    }
    return 0;
  }

  const Block& b_;
  const Axes in_, out_;
  double scale_ = 0;
};

}  // namespace

Pattern recognise(const Block& block) {
  return block.elements.empty() ? Pattern{"", "", false} : Comparison(block).recognise();
}

}  // namespace xgrad::checking
