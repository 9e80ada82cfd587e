#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

/// The objectives of objectives.cpp in plain numbers, for any type of number, and dual numbers to put in.

/// v + d e with e^2 = 0.
struct Dual {
  double v = 0, d = 0;
  Dual(double value = 0, double derivative = 0) : v(value), d(derivative) {}
};
inline Dual operator+(Dual a, Dual b) { return {a.v + b.v, a.d + b.d}; }
inline Dual operator-(Dual a, Dual b) { return {a.v - b.v, a.d - b.d}; }
inline Dual operator*(Dual a, Dual b) { return {a.v * b.v, a.v * b.d + a.d * b.v}; }
inline Dual operator/(Dual a, Dual b) { return {a.v / b.v, (a.d - a.v / b.v * b.d) / b.v}; }
inline Dual& operator+=(Dual& a, Dual b) { return a = a + b; }
inline Dual exp(Dual a) { return {std::exp(a.v), std::exp(a.v) * a.d}; }
inline Dual log(Dual a) { return {std::log(a.v), a.d / a.v}; }
inline Dual sin(Dual a) { return {std::sin(a.v), std::cos(a.v) * a.d}; }
inline Dual cos(Dual a) { return {std::cos(a.v), -std::sin(a.v) * a.d}; }
inline Dual sqrt(Dual a) { return {std::sqrt(a.v), a.d / (2 * std::sqrt(a.v))}; }
inline Dual tanh(Dual a) { return {std::tanh(a.v), (1 - std::tanh(a.v) * std::tanh(a.v)) * a.d}; }

template <class F>
double plain_value(const F& f, const std::vector<double>& at) {
  return f(std::vector<Dual>(at.begin(), at.end())).v;
}
/// The derivative by parameter i.
template <class F>
double plain_derivative(const F& f, const std::vector<double>& at, std::size_t i) {
  std::vector<Dual> p(at.begin(), at.end());
  p[i].d = 1;
  return f(p).d;
}

namespace plain {

using Numbers = std::vector<Dual>;

inline Dual logsumexp(const Numbers& x) {
  Dual total = 0;
  for (const Dual& value : x) total += exp(value - x[0]);
  return log(total) + x[0];
}

struct Mixture {
  std::vector<double> x;
  std::int64_t n, d, k;
  Dual operator()(const Numbers& p) const {
    const Dual *alpha = p.data(), *mean = alpha + k, *q = mean + k * d, *l = q + k * d;
    const std::int64_t below = d * (d - 1) / 2;
    Dual total = Dual(-double(n)) * logsumexp(Numbers(alpha, alpha + k));
    for (std::int64_t i = 0; i < n; ++i) {
      Numbers terms;
      for (std::int64_t c = 0; c < k; ++c) {
        Dual log_p = alpha[c];
        Numbers whitened(static_cast<std::size_t>(d));
        const Dual* next = l + c * below;
        for (std::int64_t column = 0; column < d; ++column) {
          const Dual away = x[static_cast<std::size_t>(i * d + column)] - mean[c * d + column];
          whitened[static_cast<std::size_t>(column)] += exp(q[c * d + column]) * away;
          for (std::int64_t row = column + 1; row < d; ++row) whitened[static_cast<std::size_t>(row)] += *next++ * away;
          log_p += q[c * d + column];
        }
        for (const Dual& w : whitened) log_p += Dual(-0.5) * w * w;
        terms.push_back(log_p);
      }
      total += logsumexp(terms);
    }
    for (std::int64_t i = 0; i < k * d; ++i) total += Dual(0.5) * exp(q[i]) * exp(q[i]) - q[i];
    for (std::int64_t i = 0; i < k * below; ++i) total += Dual(0.5) * l[i] * l[i];
    return total;
  }
};

struct Reprojection {
  std::vector<std::int64_t> camera, point;
  std::vector<double> seen;
  std::int64_t cameras, points;
  Dual operator()(const Numbers& p) const {
    Dual total = 0;
    for (std::size_t i = 0; i < camera.size(); ++i) {
      const Dual *cam = p.data() + 11 * camera[i], *x = p.data() + 11 * cameras + 3 * point[i];
      const Dual weight = p[static_cast<std::size_t>(11 * cameras + 3 * points) + i];
      const Dual angle = sqrt(cam[0] * cam[0] + cam[1] * cam[1] + cam[2] * cam[2]);
      const Dual w[] = {cam[0] / angle, cam[1] / angle, cam[2] / angle};
      const Dual v[] = {x[0] - cam[3], x[1] - cam[4], x[2] - cam[5]};
      const Dual along = (w[0] * v[0] + w[1] * v[1] + w[2] * v[2]) * (1 - cos(angle));
      Dual turned[3];
      for (int a = 0; a < 3; ++a) {
        const int b = (a + 1) % 3, c = (a + 2) % 3;
        turned[a] = v[a] * cos(angle) + (w[b] * v[c] - w[c] * v[b]) * sin(angle) + w[a] * along;
      }
      const Dual flat[] = {turned[0] / turned[2], turned[1] / turned[2]};
      const Dual r2 = flat[0] * flat[0] + flat[1] * flat[1], bend = 1 + cam[9] * r2 + cam[10] * r2 * r2;
      for (std::size_t a = 0; a < 2; ++a) {
        const Dual error = weight * (flat[a] * bend * cam[6] + cam[7 + a] - seen[2 * i + a]);
        total += error * error;
      }
    }
    return total;
  }
};

struct Lstm {
  std::vector<double> sequence;
  std::int64_t layers, h, steps;
  Dual operator()(const Numbers& p) const {
    const auto sigmoid = [](Dual z) { return 1 / (1 + exp(Dual(0) - z)); };
    const Dual* const extra = p.data() + layers * 8 * h;
    Numbers hidden(static_cast<std::size_t>(layers * h)), cell = hidden;
    Dual loss = 0;
    for (std::int64_t t = 0; t + 1 < steps; ++t) {
      Numbers y;
      for (std::int64_t j = 0; j < h; ++j) {
        Dual x = sequence[static_cast<std::size_t>(t * h + j)] * extra[j];
        for (std::int64_t k = 0; k < layers; ++k) {
          const Dual *weight = p.data() + k * 8 * h + j, *bias = weight + 4 * h;
          Dual& state = hidden[static_cast<std::size_t>(k * h + j)];
          Dual& memory = cell[static_cast<std::size_t>(k * h + j)];
          const Dual in = sigmoid(state * weight[h] + bias[h]), change = tanh(state * weight[3 * h] + bias[3 * h]);
          memory = memory * sigmoid(x * weight[0] + bias[0]) + in * change;
          state = sigmoid(x * weight[2 * h] + bias[2 * h]) * tanh(memory);
          x = state;
        }
        y.push_back(x * extra[h + j] + extra[2 * h + j]);
      }
      const Dual normaliser = logsumexp(y);
      for (std::int64_t j = 0; j < h; ++j)
        loss += sequence[static_cast<std::size_t>((t + 1) * h + j)] * (y[static_cast<std::size_t>(j)] - normaliser);
    }
    return loss / -double(steps - 1);
  }
};

}  // namespace plain
