// Three objectives by which tools for automatic differentiation are compared (ADBench: Srajer, Kukelova and Fitzgibbon
// 2018): the log-likelihood of a Gaussian mixture, the reprojection error of bundle adjustment, and an LSTM's loss.
// Each is written twice, in tensors and in plain numbers; dual numbers through the plain ones check every derivative.
#include <algorithm>
#include <autograd/autograd.hpp>
#include <chrono>
#include <cstdio>

#include "objectives_plain.hpp"

using namespace xgrad;

namespace {

using Tensors = std::vector<Tensor>;

// ---- the log-likelihood of a Gaussian mixture, with a Wishart prior ----

/// x (n, d), and parameters: weights (k), means (k, d), logarithms of the diagonals (k, d) and what is below them
/// (k, d (d - 1) / 2) of the square roots Q of the inverse covariances. Up to a constant.
struct Mixture {
  Tensor x;
  Tensor operator()(const Tensors& p) const {
    const Tensor &alpha = p[0], &mean = p[1], &q = p[2], &l = p[3];
    const std::int64_t n = x.shape()[0], d = x.shape()[1], k = alpha.shape()[0];
    const Tensor below = reshape(take(concatenate({zeros({k, 1}, {.dtype = f64}), l}, 1), places(d), 1), {k, d, d});
    const Tensor diagonal = eye(d, {.dtype = f64}) * unsqueeze(exp(q), 1);
    const Tensor away = unsqueeze(x, 0) - unsqueeze(mean, 1);                                   // (k, n, d)
    const Tensor whitened = matmul(away, below + diagonal, {.transpose_b = true});              // (k, n, d)
    const Tensor log_p = unsqueeze(alpha + sum(q, {1}), 1) - 0.5 * sum(square(whitened), {2});  // (k, n)
    const Tensor prior = 0.5 * (sum(exp(2 * q)) + sum(square(l))) - sum(q);
    return sum(logsumexp(log_p, {0})) - double(n) * logsumexp(alpha) + prior;
  }
  /// For each place of a (d, d) matrix where its number stands in (0, l[0], l[1], ...), l going down the columns.
  static Tensor places(std::int64_t d) {
    std::vector<std::int64_t> at(static_cast<std::size_t>(d * d));
    std::int64_t next = 1;
    for (std::int64_t column = 0; column < d; ++column)
      for (std::int64_t row = column + 1; row < d; ++row) at[static_cast<std::size_t>(row * d + column)] = next++;
    return from_values(at, {d * d});
  }
};

// ---- the reprojection error of bundle adjustment ----

Tensor cross(const Tensor& a, const Tensor& b) {
  const auto turned = [](const Tensor& v, std::int64_t by) {
    return concatenate({slice(v, 1, by, 3), slice(v, 1, 0, by)}, 1);
  };
  return turned(a, 1) * turned(b, 2) - turned(a, 2) * turned(b, 1);
}

/// Cameras (c, 11): rotation 3, centre 3, focal length, principal point 2, radial distortion 2; points (m, 3); and a
/// weight for each of the observations, which are pairs of a camera and a point, and where on the image it was seen.
struct Reprojection {
  Tensor camera, point, seen;
  Tensor operator()(const Tensors& p) const {
    const Tensor cam = take(p[0], camera), x = take(p[1], point), &weight = p[2];
    const auto part = [&](std::int64_t from, std::int64_t to) { return slice(cam, 1, from, to); };
    const Tensor r = part(0, 3), away = x - part(3, 6), angle = sqrt(sum(square(r), {1}, true));
    const Tensor axis = r / angle;
    // Rodrigues' rotation of the point around the axis.
    const Tensor turned =
        away * cos(angle) + cross(axis, away) * sin(angle) + axis * (sum(axis * away, {1}, true) * (1 - cos(angle)));
    const Tensor flat = slice(turned, 1, 0, 2) / slice(turned, 1, 2, 3), square_radius = sum(square(flat), {1}, true);
    const Tensor distorted = flat * (1 + part(9, 10) * square_radius + part(10, 11) * square(square_radius));
    const Tensor projected = distorted * part(6, 7) + part(7, 9);
    return sum(square(unsqueeze(weight, 1) * (projected - seen)));
  }
};

// ---- the loss of an LSTM that predicts the next of a sequence ----

/// The rows of all but the last axis.
Tensors rows(const Tensor& t) {
  const Tensor matrix = reshape(t, {-1, t.shape()[-1]});
  Tensors list;
  for (std::int64_t i = 0; i < matrix.shape()[0]; ++i) list.push_back(squeeze(slice(matrix, 0, i, i + 1), 0));
  return list;
}

/// Parameters: weights and biases (layers, 2, 4, h) of the gates, and (3, h) for input, output and its bias.
struct Lstm {
  Tensor sequence;  // (time, h)
  Tensor operator()(const Tensors& p) const {
    const Tensors seen = rows(sequence), gates = rows(p[0]), extra = rows(p[1]);
    const std::size_t layers = gates.size() / 8, last = seen.size() - 1;
    Tensors hidden(layers, zeros({sequence.shape()[1]}, {.dtype = f64})), cell = hidden;
    Tensor loss = zeros({}, {.dtype = f64});
    for (std::size_t t = 0; t < last; ++t) {
      Tensor x = seen[t] * extra[0];
      for (std::size_t k = 0; k < layers; ++k) {
        const Tensor *weight = &gates[8 * k], *bias = weight + 4;
        const Tensor forget = sigmoid(x * weight[0] + bias[0]), in = sigmoid(hidden[k] * weight[1] + bias[1]);
        const Tensor out = sigmoid(x * weight[2] + bias[2]), change = tanh(hidden[k] * weight[3] + bias[3]);
        cell[k] = cell[k] * forget + in * change;
        x = hidden[k] = out * tanh(cell[k]);
      }
      const Tensor y = x * extra[1] + extra[2];
      loss += dot(seen[t + 1], y - logsumexp(y));
    }
    return loss / -double(last);
  }
};

// ---- checks and times ----

std::vector<double> numbers(const Tensors& list) {
  std::vector<double> all;
  for (const Tensor& t : list) all.insert(all.end(), t.data<double>(), t.data<double>() + t.size());
  return all;
}

template <class F>
double seconds(F f) {
  double best = 1e9;
  for (int i = 0; i < 15; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

/// Prints a line and tells whether all derivatives are right.
template <class F, class Plain>
bool report(const char* name, const F& f, const Tensors& p, Plain plain) {
  const ValueAndGrad<Tensors> at_p = value_and_grad(f, p);
  const std::vector<double> at = numbers(p), g = numbers(at_p.grad);
  const auto off = [](double found, double expected) {
    return std::fabs(found - expected) / (1 + std::fabs(expected));
  };
  double worst = off(at_p.value.item<double>(), plain_value(plain, at));
  for (std::size_t i = 0; i < at.size(); ++i) worst = std::max(worst, off(g[i], plain_derivative(plain, at, i)));
  const double of_value = seconds([&] {
    const NoGrad guard;
    f(p);
  });
  const double of_gradient = seconds([&] { value_and_grad(f, p); });
  std::printf("%-22s %6zu %12.1f us %12.1f us %8.1f %14.1e\n", name, at.size(), of_value * 1e6, of_gradient * 1e6,
              of_gradient / of_value, worst);
  return worst < 1e-8 && of_gradient < 10 * of_value;
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::fputs("usage: objectives\n", stderr);
    return 2;
  }

  manual_seed(0);
  const auto draw = [](const Shape& shape, double size = 1) { return size * randn(shape, {.dtype = f64}); };
  std::puts("objective           parameters        value        gradient    ratio  largest error");
  bool right = true;
  {
    const std::int64_t n = 200, d = 6, k = 5;
    const Mixture f{draw({n, d})};
    const Tensors p{draw({k}), draw({k, d}), draw({k, d}, 0.3), draw({k, d * (d - 1) / 2}, 0.3)};
    right &= report("Gaussian mixture", f, p, plain::Mixture{numbers({f.x}), n, d, k});
  }
  {
    const std::int64_t cameras = 5, points = 60, count = 240;
    std::vector<std::int64_t> camera, point;
    for (std::int64_t i = 0; i < count; ++i) {
      camera.push_back(i % cameras);
      point.push_back(i * 7 % points);
    }
    const Reprojection f{from_values(camera, {count}), from_values(point, {count}), draw({count, 2})};
    const Tensor depth = tensor({0., 0., 8.}, {.dtype = f64});
    const Tensors p{draw({cameras, 11}, 0.2), draw({points, 3}) + depth, draw({count})};
    right &= report("bundle adjustment", f, p, plain::Reprojection{camera, point, numbers({f.seen}), cameras, points});
  }
  {
    const std::int64_t layers = 2, h = 14, steps = 20;
    const Lstm f{(rand({steps, h}, {.dtype = f64}) < 0.2).to(f64)};
    const Tensors p{draw({layers, 2, 4, h}), draw({3, h})};
    right &= report("LSTM", f, p, plain::Lstm{numbers({f.sequence}), layers, h, steps});
  }
  std::puts(right ? "\nAll derivatives are those of the dual numbers." : "\nNot as expected.");
  return right ? 0 : 1;
}
