#pragma once
#include <autograd/sequences.hpp>
#include <nn/init.hpp>
#include <nn/module.hpp>

#pragma GCC visibility push(default)

/// Recurrent layers. Sequences are batch first: (n, steps, features). autograd/sequences.hpp states the formulas, which
/// are PyTorch's; weights are (in, out), and one bias stands for PyTorch's two, which occur as their sum; the GRU's
/// candidate has two, so that its bias is (4 h).
///
///   nn::LSTM lstm{8, 16, {.layers = 2}};
///   auto [output, state] = lstm(x);              // (n, steps, 16), and the states after the last step
///   lstm(next, {.state = state});                // goes on from there
///   lstm(x, {.lengths = tensor({5, 3}, i64)});   // sequences of 5 and 3 steps, padded at their ends
///   nn::Sequential model{nn::GRU{8, 16}, nn::Dense{16, 4}};   // takes the output
///
/// Weights of the inputs begin Glorot-uniform, those of the states orthogonal, biases at zero, but that of an LSTM's
/// forget gate at one, so that it remembers at first (Jozefowicz, Zaremba and Sutskever 2015); all as in Keras.
namespace xgrad::nn {

struct CellOptions {
  bool bias = true;
  init::Initializer weight_init = init::glorot_uniform();
  init::Initializer recurrent_init = init::orthogonal();
  Dtype dtype = f32;
};

namespace detail {
/// A cell's parameters, and what it says of itself.
class RecurrentCell : public Module {
 public:
  void members(Visitor& visit) override;
  std::string describe() const override;
  std::int64_t output_features(std::int64_t) const override { return hidden_; }
  RecurrentWeights weights() const { return {weight_input, weight_hidden, bias}; }
  std::int64_t hidden() const { return hidden_; }

  Parameter weight_input, weight_hidden, bias;

 protected:
  RecurrentCell(const char* name, std::int64_t gates, std::int64_t biases, std::int64_t in, std::int64_t hidden,
                const CellOptions& options, Place place);

 private:
  const char* name_;
  std::int64_t in_, hidden_;
};
}  // namespace detail

/// One step of rnn: x (n, in) and the state (n, hidden), zeros if it is left out -> the next state. Throws ValueError
/// for a negative size, ShapeError for other shapes.
class RNNCell : public detail::RecurrentCell {
 public:
  static constexpr const char *layer = "RNN", *op = "rnn";
  RNNCell(std::int64_t in, std::int64_t hidden, CellOptions options = {}, Place place = Place::here());
  Tensor operator()(const Operand& x, const Tensor& state = {}) const;
};
/// One step of gru.
class GRUCell : public detail::RecurrentCell {
 public:
  static constexpr const char *layer = "GRU", *op = "gru";
  GRUCell(std::int64_t in, std::int64_t hidden, CellOptions options = {}, Place place = Place::here());
  Tensor operator()(const Operand& x, const Tensor& state = {}) const;
};
/// One step of lstm.
class LSTMCell : public detail::RecurrentCell {
 public:
  static constexpr const char *layer = "LSTM", *op = "lstm";
  LSTMCell(std::int64_t in, std::int64_t hidden, CellOptions options = {}, Place place = Place::here());
  LstmState operator()(const Operand& x, const LstmState& state = {}) const;
};

struct RecurrentLayerOptions {
  int layers = 1;              // each reads the outputs of the one before
  bool bidirectional = false;  // a second cell in each layer goes from the last step to the first
  double dropout = 0;          // of the outputs of each layer but the last, in training mode
  bool bias = true;
  init::Initializer weight_init = init::glorot_uniform();
  init::Initializer recurrent_init = init::orthogonal();
  Dtype dtype = f32;
};

/// What a recurrent layer is called with besides x. A state is (layers, n, hidden) or, in both directions, (2 layers,
/// n, hidden), layer by layer and the first direction first.
template <class State>
struct RecurrentInput {
  State state = {};     // to begin with; zeros if it is left out
  Tensor lengths = {};  // i64 (n): how many steps of each sequence count
  Tensor mask = {};     // or boolean (n, steps): which ones; in others the state stays, and the output is zero
};
/// The outputs after each step (n, steps, hidden), or (n, steps, 2 hidden) in both directions, and the last states.
template <class State>
struct RecurrentResult {
  Tensor output;
  State state;
  operator Tensor() const { return output; }
};

namespace detail {
template <class Cell, class State>
class RecurrentLayer : public Module {
 public:
  /// Throws ShapeError for a sequence of no steps and for shapes that do not fit.
  RecurrentResult<State> operator()(const Operand& x, const RecurrentInput<State>& more = {}) const;
  void members(Visitor& visit) override;
  std::string describe() const override;
  std::int64_t output_features(std::int64_t) const override;

  std::vector<Cell> cells, reversed;  // one for each layer

 protected:
  RecurrentLayer(std::int64_t in, std::int64_t hidden, const RecurrentLayerOptions& options, Place place);

 private:
  Tensor run(const Operand& x, const RecurrentInput<State>& more, State& last) const;

  std::int64_t in_;
  double dropout_;
};
}  // namespace detail

/// Elman's network (1990): h' = tanh(x W + h U + b). Throws ValueError for a negative size, no layers, or a dropout
/// outside of [0, 1].
class RNN : public detail::RecurrentLayer<RNNCell, Tensor> {
 public:
  RNN(std::int64_t in, std::int64_t hidden, RecurrentLayerOptions options = {}, Place place = Place::here())
      : RecurrentLayer(in, hidden, options, place) {}
};
/// Gated recurrent units (Cho et al. 2014).
class GRU : public detail::RecurrentLayer<GRUCell, Tensor> {
 public:
  GRU(std::int64_t in, std::int64_t hidden, RecurrentLayerOptions options = {}, Place place = Place::here())
      : RecurrentLayer(in, hidden, options, place) {}
};
/// Long short-term memory (Hochreiter and Schmidhuber 1997).
class LSTM : public detail::RecurrentLayer<LSTMCell, LstmState> {
 public:
  LSTM(std::int64_t in, std::int64_t hidden, RecurrentLayerOptions options = {}, Place place = Place::here())
      : RecurrentLayer(in, hidden, options, place) {}
};

namespace detail {
extern template class RecurrentLayer<RNNCell, Tensor>;
extern template class RecurrentLayer<GRUCell, Tensor>;
extern template class RecurrentLayer<LSTMCell, LstmState>;
}  // namespace detail

}  // namespace xgrad::nn
#pragma GCC visibility pop
