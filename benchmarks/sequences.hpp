#pragma once
#include "training.hpp"

/// Training of networks that read sequences, whose loss is softmax cross-entropy of a class for each step. `parameters`
/// of a task are in the order of the lists below, weights (in, out).
namespace bench {

/// Sequences of 32 steps of 64 features: LSTM of 128 units (input, hidden, bias of the gates i, f, g, o), Dense to 64
/// classes.
Task make_lstm_task(std::int64_t batch);

/// Sequences of 64 tokens out of 64: Embedding, plus a position each, two blocks, LayerNorm, Dense to 64 tokens. A
/// block is LayerNorm, causal attention of four heads (query, key, value, output), and, after the first sum, LayerNorm,
/// Dense to 256, gelu, Dense.
struct Transformer {
  static constexpr std::int64_t tokens = 64, steps = 64, width = 64, heads = 4, inner = 256, blocks = 2;
};
Task make_transformer_task(std::int64_t batch);

extern const XgradTrainers xgrad_lstm, xgrad_transformer;

}  // namespace bench
