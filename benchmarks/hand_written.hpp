#pragma once
#include <cstdint>
#include <new>
#include <vector>

namespace bench {

/// Begins at a cache line, so that no vector of the processor straddles two.
template <class T>
struct LineAligned {
  using value_type = T;
  static constexpr std::align_val_t line{64};
  LineAligned() = default;
  template <class U>
  LineAligned(const LineAligned<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), line)); }
  void deallocate(T* p, std::size_t) { ::operator delete(p, line); }
  friend bool operator==(const LineAligned&, const LineAligned&) { return true; }
};
template <class T>
using Buffer = std::vector<T, LineAligned<T>>;

/// A training step of the reference network without any engine: Dense(784, 64) relu, Dropout, Dense(64, 32) relu,
/// Dense(32, 1) sigmoid, binary cross-entropy, Adam. The derivative is worked out by hand, every buffer is allocated
/// once, and all parameters lie side by side. It calls the same kernels as xgrad, and so shows what the engine costs.
class HandWrittenStep {
 public:
  static constexpr std::int64_t inputs = 784, hidden1 = 64, hidden2 = 32;
  static constexpr std::int64_t parameter_count =
      inputs * hidden1 + hidden1 + hidden1 * hidden2 + hidden2 + hidden2 + 1;

  struct Options {
    double dropout = 0.2, lr = 1e-3;
  };

  /// `parameters` holds weight (in, out) and bias of each Dense, in order.
  HandWrittenStep(const std::vector<float>& parameters, std::int64_t batch, Options options);

  /// Trains on x (batch, 784) and targets t (batch); the mean loss before the step.
  float step(const float* x, const float* t);
  /// In the constructor's order.
  const Buffer<float>& parameters() const { return parameters_; }

 private:
  float forward(const float* x, const float* t);
  void backward(const float* x, const float* t);
  void update();
  /// x (batch, hidden1) where `keep` says so, scaled, and 0 elsewhere.
  void drop_out(float* x) const;

  // Where each array starts among the parameters, the gradients and the moments.
  static constexpr std::int64_t w1 = 0, b1 = w1 + inputs * hidden1, w2 = b1 + hidden1, b2 = w2 + hidden1 * hidden2,
                                w3 = b2 + hidden2, b3 = w3 + hidden2;

  std::int64_t batch_, steps_ = 0;
  Options options_;
  Buffer<float> parameters_, gradients_, mean_, mean_square_;
  Buffer<float> h1_, h2_, z_, losses_;  // outputs of the three layers, the last before its sigmoid
  Buffer<float> g1_, g2_, g3_;          // their gradients
  Buffer<unsigned char> keep_;          // booleans
};

}  // namespace bench
