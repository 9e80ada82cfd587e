#include <algorithm>
#include <array>
#include <autograd/state_dict.hpp>
#include <charconv>
#include <cmath>
#include <ostream>

// Tensors print as NumPy prints arrays: one format for all elements, chosen from those that are shown.
namespace xgrad {
namespace {

constexpr int precision = 8, line_width = 75, edge_items = 3, most_elements = 1000;

/// The digits of a finite number d.ddd * 10^exponent.
struct Decimal {
  bool negative;
  std::string digits;
  int exponent;

  /// The shortest digits that read back as x.
  template <class T>
  static Decimal shortest(T x) {
    std::array<char, 64> buffer;
    const auto end = std::to_chars(buffer.begin(), buffer.end(), x, std::chars_format::scientific).ptr;
    return parse({buffer.begin(), end});
  }
  /// x rounded to `places` digits behind the point of d.ddd; ties, which doubles hold exactly, go to even.
  static Decimal rounded(double x, int places) {
    std::array<char, 1100> buffer;
    const auto end = std::to_chars(buffer.begin(), buffer.end(), x, std::chars_format::scientific, places).ptr;
    return parse({buffer.begin(), end});
  }
  int places() const { return static_cast<int>(digits.size()) - 1; }

 private:
  static Decimal parse(std::string_view s) {
    Decimal d;
    d.negative = s[0] == '-';
    if (d.negative) s.remove_prefix(1);
    const auto e = s.find('e');
    d.digits = s[0];
    if (e > 2) d.digits += s.substr(2, e - 2);
    while (d.digits.size() > 1 && d.digits.back() == '0') d.digits.pop_back();
    s.remove_prefix(e + 1);
    if (s[0] == '+') s.remove_prefix(1);
    std::from_chars(s.data(), s.data() + s.size(), d.exponent);
    return d;
  }
};

/// A number as the text left and right of the point, and its exponent's ("" where it has none).
struct Parts {
  std::string left, right, exponent;
};

/// At most `most_places` digits behind the point, of a number whose leading digit is among them. Digits before the
/// point that the shortest form lacks (f32 from 2^24 on) are zeros, or exact as NumPy has them inside arrays.
template <class T>
Parts positional(T x, int most_places, bool exact) {
  Decimal d = Decimal::shortest(x);
  const int places = d.places() - d.exponent;
  if (places > most_places) {
    d = Decimal::rounded(static_cast<double>(x), d.exponent + most_places);
  } else if (exact && places < 0) {
    d = Decimal::rounded(static_cast<double>(x), d.exponent);
  }
  std::string digits = d.digits;
  if (d.exponent < 0) digits.insert(0, static_cast<std::size_t>(-d.exponent), '0');
  const auto left = static_cast<std::size_t>(std::max(d.exponent, 0)) + 1;
  if (digits.size() < left) digits.append(left - digits.size(), '0');
  return {text(d.negative ? "-" : "", digits.substr(0, left)), digits.substr(left), ""};
}

Parts parts_of(const Decimal& d) {
  std::string exponent = std::to_string(std::abs(d.exponent));
  if (exponent.size() < 2) exponent.insert(0, 1, '0');
  return {text(d.negative ? "-" : "", d.digits.substr(0, 1)), d.digits.substr(1),
          text(d.exponent < 0 ? "-" : "+", exponent)};
}

/// The same as d.ddde+dd.
template <class T>
Parts scientific(T x, int most_places) {
  const Decimal d = Decimal::shortest(x);
  return parts_of(d.places() > most_places ? Decimal::rounded(static_cast<double>(x), most_places) : d);
}

std::string padded(std::string s, std::size_t left, std::size_t right, char with = ' ') {
  if (s.size() < left) s.insert(0, left - s.size(), ' ');
  if (s.size() < right) s.append(right - s.size(), with);
  return s;
}

/// How one element of an array is written, given all that are shown.
template <class T>
class Format {
 public:
  explicit Format(const std::vector<T>& shown) {
    if constexpr (std::is_same_v<T, std::int64_t>) {
      for (T x : shown) left_ = std::max(left_, std::to_string(x).size());
    } else if constexpr (!std::is_same_v<T, bool>) {
      choose(shown);
    }
  }

  std::string operator()(T x) const {
    if constexpr (std::is_same_v<T, bool>) {
      return x ? " True" : "False";
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      return padded(std::to_string(x), left_, 0);
    } else {
      if (!std::isfinite(x)) return padded(std::isnan(x) ? "nan" : x < 0 ? "-inf" : "inf", left_ + 1 + right_, 0);
      if (!scientific_) {
        const Parts p = positional(x, precision, true);
        return padded(p.left, left_, 0) + "." + padded(p.right, 0, right_);
      }
      const std::size_t places = right_ - exponent_ - 2;
      Parts p = scientific(x, precision);
      // NumPy fills up with the digits of the exact value, which for f32 are no zeros.
      if (p.right.size() < places) p = parts_of(Decimal::rounded(static_cast<double>(x), static_cast<int>(places)));
      std::string exponent = p.exponent;
      exponent.insert(1, exponent_ - (exponent.size() - 1), '0');
      return padded(p.left, left_, 0) + "." + padded(p.right, 0, places, '0') + "e" + exponent;
    }
  }

 private:
  void choose(const std::vector<T>& shown) {
    T largest = 0, smallest = 0;
    bool all_finite = true, negative_infinity = false;
    for (T x : shown) {
      all_finite &= static_cast<bool>(std::isfinite(x));
      negative_infinity |= std::isinf(x) && x < 0;
      if (!std::isfinite(x) || x == 0) continue;
      const T size = std::abs(x);
      smallest = largest == 0 ? size : std::min(smallest, size);
      largest = std::max(largest, size);
    }
    scientific_ = largest != 0 && (static_cast<double>(largest) >= 1e8 || static_cast<double>(smallest) < 1e-4 ||
                                   largest / smallest > 1000);
    for (T x : shown) {
      if (!std::isfinite(x)) continue;
      const Parts p = scientific_ ? scientific(x, precision) : positional(x, precision, true);
      left_ = std::max(left_, p.left.size());
      right_ = std::max(right_, p.right.size());
      if (scientific_) exponent_ = std::max(exponent_, p.exponent.size() - 1);
    }
    if (scientific_) right_ += exponent_ + 2;
    if (!all_finite) {
      const std::size_t widest = negative_infinity ? 4 : 3;
      if (left_ + right_ + 1 < widest) left_ = widest - right_ - 1;
    }
  }

  bool scientific_ = false;
  std::size_t left_ = 0, right_ = 0, exponent_ = 0;  // right_ counts the exponent with its "e" and sign
};

/// The positions along an axis that are shown; -1 stands for "...".
std::vector<std::int64_t> shown_positions(std::int64_t size, bool summarise) {
  std::vector<std::int64_t> positions;
  const bool cut = summarise && size > 2 * edge_items;
  for (std::int64_t i = 0; i < size; ++i) {
    if (cut && i == edge_items) {
      positions.push_back(-1);
      i = size - edge_items;
    }
    positions.push_back(i);
  }
  return positions;
}

template <class T>
class Printer {
 public:
  Printer(const Array& x)
      : data_(x.data<T>()),
        shape_(x.shape()),
        strides_(detail::strides_of(x.shape())),
        summarise_(x.size() > most_elements),
        format_(shown(0, 0)) {}

  /// The block that begins at `offset`, its later lines indented to stand under its first.
  std::string block(int axis, std::int64_t offset, std::size_t indent, std::size_t width) const {
    --width;  // for the closing bracket
    return text("[", axis + 1 == shape_.ndim() ? row(offset, indent, width) : rows(axis, offset, indent, width), "]");
  }

 private:
  std::vector<T> shown(int axis, std::int64_t offset) const {
    if (axis == shape_.ndim()) return {data_[offset]};
    std::vector<T> all;
    for (std::int64_t i : shown_positions(shape_[axis], summarise_)) {
      if (i < 0) continue;
      const std::vector<T> some = shown(axis + 1, offset + i * strides_[axis]);
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }

  std::string rows(int axis, std::int64_t offset, std::size_t indent, std::size_t width) const {
    std::string s;
    for (std::int64_t i : shown_positions(shape_[axis], summarise_)) {
      if (!s.empty())
        s += std::string(static_cast<std::size_t>(shape_.ndim() - axis - 1), '\n') + std::string(indent, ' ');
      s += i < 0 ? "..." : block(axis + 1, offset + i * strides_[axis], indent + 1, width);
    }
    return s;
  }

  std::string row(std::int64_t offset, std::size_t indent, std::size_t width) const {
    std::string s, line(indent, ' ');
    for (std::int64_t i : shown_positions(shape_[-1], summarise_)) {
      const std::string word = i < 0 ? "..." : format_(data_[offset + i]);
      if (line.size() > indent && line.size() + 1 + word.size() > width) {
        line.erase(line.find_last_not_of(' ') + 1);
        s += line + "\n";
        line = std::string(indent, ' ');
      } else if (line.size() > indent) {
        line += " ";
      }
      line += word;
    }
    return (s + line).substr(indent);
  }

  const T* data_;
  const Shape& shape_;
  Shape strides_;
  bool summarise_;
  Format<T> format_;
};

/// A single number in full, as it reads back: 1.0, 1e-05.
template <class T>
std::string number(T x) {
  if constexpr (std::is_same_v<T, bool>) {
    return x ? "True" : "False";
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return std::to_string(x);
  } else {
    if (std::isnan(x)) return "nan";
    if (std::isinf(x)) return x < 0 ? "-inf" : "inf";
    const double size = std::abs(static_cast<double>(x));
    if (size == 0 || (size >= 1e-4 && size < 1e16)) {
      const Parts p = positional(x, 1000, false);
      return p.left + "." + (p.right.empty() ? "0" : p.right);
    }
    const Parts p = scientific(x, 1000);
    return p.left + (p.right.empty() ? "" : ".") + p.right + "e" + p.exponent;
  }
}

template <class T>
std::string printed(const Array& x) {
  if (x.ndim() == 0) return number(*x.data<T>());
  if (x.size() == 0) return "[]";
  return Printer<T>(x).block(0, 0, 1, line_width);
}

}  // namespace

std::string Tensor::str() const {
  if (!defined()) return "undefined";
  switch (dtype()) {
    case Dtype::f32:
      return printed<float>(array());
    case Dtype::f64:
      return printed<double>(array());
    case Dtype::i64:
      return printed<std::int64_t>(array());
    case Dtype::boolean:
      break;
  }
  return printed<bool>(array());
}

std::ostream& operator<<(std::ostream& out, const Tensor& t) { return out << t.str(); }

static std::string labelled(const std::string& label, const Tensor& t) {
  return t.defined() ? text(label, " ", name_of(t.dtype()), " ", t.shape(), "\n", t) : text(label, " ", t);
}

std::ostream& operator<<(std::ostream& out, const std::vector<Tensor>& tensors) {
  for (std::size_t i = 0; i < tensors.size(); ++i) out << (i ? "\n" : "") << labelled(std::to_string(i), tensors[i]);
  return out;
}

std::ostream& operator<<(std::ostream& out, const StateDict& dict) {
  const char* between = "";
  for (const auto& [name, value] : dict) out << std::exchange(between, "\n") << labelled(name, value);
  return out;
}

}  // namespace xgrad
