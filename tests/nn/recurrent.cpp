#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/memory.hpp>
#include <autograd/threads.hpp>
#include <cmath>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include "support.hpp"

// Recurrent layers: what they begin with, hand over and leave out, and that all that works on models works on them.
using namespace xgrad;

namespace {

const Tensor& hidden_of(const Tensor& state) { return state; }
const Tensor& hidden_of(const LstmState& state) { return state.hidden; }

/// Steps start to stop - 1.
Tensor steps(const Tensor& x, std::int64_t start, std::int64_t stop) { return slice(x, 1, start, stop); }

}  // namespace

TEST_CASE("an LSTM begins with a forget gate's bias of one, weights as in Keras") {
  manual_seed(1);
  const nn::LSTMCell cell{3, 2};
  CHECK(to_vector(cell.bias) == std::vector<double>{0, 0, 1, 1, 0, 0, 0, 0});
  CHECK(largest(cell.weight_input) <= std::sqrt(6. / (3 + 8)));
  const nn::GRUCell gru{3, 4};
  CHECK(largest(gru.bias) == 0);
  CHECK(close(matmul(gru.weight_hidden, gru.weight_hidden, {.transpose_b = true}), eye(4), 1e-6));
  CHECK_FALSE(nn::RNN(3, 4, {.bias = false}).cells[0].bias.defined());
}

TEST_CASE_TEMPLATE("a layer takes the steps of its cell", Layer, nn::RNN, nn::GRU, nn::LSTM) {
  manual_seed(2);
  Layer layer{3, 5, {.dtype = f64}};
  const Tensor x = randn({4, 6, 3}, f64);
  const auto [output, state] = layer(x);
  auto own = layer.cells[0](select(x, 1, 0));
  for (int t = 1; t < 6; ++t) own = layer.cells[0](select(x, 1, t), own);
  CHECK(close(select(output, 1, 5), hidden_of(own)));
  CHECK(close(select(hidden_of(state), 0, 0), hidden_of(own)));
}

TEST_CASE_TEMPLATE("a sequence goes on from the state of the one before", Layer, nn::RNN, nn::GRU, nn::LSTM) {
  manual_seed(3);
  Layer layer{3, 4, {.layers = 2, .dtype = f64}};
  const Tensor x = randn({2, 7, 3}, f64);
  const auto whole = layer(x), first = layer(steps(x, 0, 3));
  const auto second = layer(steps(x, 3, 7), {.state = first.state});
  CHECK(close(concatenate({first.output, second.output}, 1), whole.output));
  CHECK(close(hidden_of(second.state), hidden_of(whole.state)));
}

TEST_CASE_TEMPLATE("what lies behind a sequence's length has no part in anything", Layer, nn::RNN, nn::GRU, nn::LSTM) {
  manual_seed(4);
  Layer layer{3, 4, {.layers = 2, .bidirectional = true, .dtype = f64}};
  const Tensor x = randn({2, 6, 3}, f64);
  const Tensor lengths = tensor({6, 4}, i64);
  const auto padded = layer(x, {.lengths = lengths});
  const auto alone = layer(steps(slice(x, 0, 1, 2), 0, 4));
  const Tensor second = slice(padded.output, 0, 1, 2);
  CHECK(close(steps(second, 0, 4), alone.output));
  CHECK(largest(steps(second, 4, 6)) == 0);
  CHECK(close(slice(hidden_of(padded.state), 1, 1, 2), hidden_of(alone.state)));
  const auto by_mask = layer(x, {.mask = sequence_mask(lengths, 6)});
  CHECK(same_bits(by_mask.output, padded.output));
  const Tensor moved = x.clone().set_requires_grad(true);
  CHECK(largest(steps(slice(grad(sum(layer(moved, {.lengths = lengths}).output), moved), 0, 1, 2), 4, 6)) == 0);
  const auto none = layer(x, {.lengths = tensor({6, 0}, i64)});
  CHECK(largest(slice(none.output, 0, 1, 2)) == 0);
  CHECK(largest(slice(hidden_of(none.state), 1, 1, 2)) == 0);
}

TEST_CASE_TEMPLATE("NaN behind a sequence's length reaches no gradient", Layer, nn::RNN, nn::GRU, nn::LSTM) {
  manual_seed(4);
  Layer layer{3, 4, {.layers = 2, .bidirectional = true, .dtype = f64}};
  const Tensor x = randn({2, 6, 3}, f64), lengths = tensor({6, 4}, i64);
  const Tensor padded = where(unsqueeze(sequence_mask(lengths, 6), 2), x, NAN);
  for (const bool recorded : {false, true}) {
    CAPTURE(recorded);
    const auto gradients = [&](const Tensor& input) {
      std::vector<Tensor> leaves = layer.parameters();
      leaves.push_back(input.clone().set_requires_grad(true));
      const Tensor loss = sum(square(layer(leaves.back(), {.lengths = lengths}).output));
      return grad(loss, leaves, {.create_graph = recorded});
    };
    const auto expected = gradients(x), found = gradients(padded);
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(same_bits(found[i], expected[i]));
  }
}

TEST_CASE("dropout acts between layers, in training mode") {
  manual_seed(5);
  nn::GRU layer{3, 4, {.layers = 2, .dropout = .5}}, plain = layer;
  const Tensor x = randn({2, 5, 3});
  CHECK_FALSE(same_bits(layer(x).output, layer(x).output));
  layer.eval();
  CHECK(same_bits(layer(x).output, layer(x).output));
  nn::GRU single{3, 4, {.dropout = .5}};
  CHECK(same_bits(single(x).output, single(x).output));
  nn::GRU all{3, 4, {.layers = 2, .dropout = 1}};
  CHECK(close(all(x).output, all.cells[1].weights().input.defined() ? gru(zeros({2, 5, 4}), all.cells[1].weights()) : x,
              1e-6));
}

TEST_CASE("a model with a recurrent layer is a model like others") {
  manual_seed(6);
  nn::Sequential model{nn::LSTM{3, 4, {.layers = 2, .bidirectional = true}}, nn::Dense{8, 2}};
  std::vector<std::string> names;
  for (const auto& named : model.named_parameters()) names.push_back(named.first);
  CHECK(names.size() == 14);
  CHECK(names[0] == "0.cells.0.weight_input");
  CHECK(names[3] == "0.cells.1.weight_input");
  CHECK(names[11] == "0.reversed.1.bias");
  CHECK(model.summary().find("LSTM 3 -> 8, 2 layers, both directions  (*, 8)") != std::string::npos);
  CHECK(model(zeros({2, 5, 3})).shape() == Shape{2, 5, 2});
  nn::Sequential other = model;
  other.load_state_dict(model.state_dict());
  const Tensor x = randn({2, 5, 3});
  CHECK(same_bits(model(x), other(x)));
  model.to(f64);
  CHECK(model(x.to(f64)).dtype() == f64);
}

TEST_CASE("a checkpoint of a recurrent layer has the bits of the layer") {
  manual_seed(7);
  nn::LSTM layer{3, 4};
  const Tensor x = randn({2, 5, 3}).set_requires_grad(true);
  const auto f = [&](const Tensor& in) { return layer(in).output; };
  const auto gradients = [&](const Tensor& y) {
    std::vector<Tensor> all = layer.parameters();
    all.push_back(x);
    return grad(sum(square(y)), all);
  };
  CHECK(same_bits(gradients(f(x)), gradients(checkpoint(f, x))));
}

TEST_CASE("a captured step hands its state over") {
  manual_seed(8);
  const auto train = [](bool captured) {
    manual_seed(9);
    nn::LSTM layer{3, 4};
    nn::Dense head{4, 1};
    std::vector<Tensor> parameters = layer.parameters();
    for (const Tensor& p : head.parameters()) parameters.push_back(p);
    optim::Adam optimizer{parameters};
    const auto step = [&](const Tensor& x, const Tensor& h, const Tensor& c) {
      const auto [output, state] = layer(x, {.state = {h, c}});
      const Tensor loss = mean(square(head(output) - 1));
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      return std::vector<Tensor>{loss.detach(), state.hidden.detach(), state.cell.detach()};
    };
    auto replayed = capture(step);
    std::vector<Tensor> losses;
    Tensor h = zeros({1, 2, 4}), c = zeros({1, 2, 4});
    for (int i = 0; i < 6; ++i) {
      const Tensor x = randn({2, 5, 3});
      const std::vector<Tensor> result = captured ? replayed(x, h, c) : step(x, h, c);
      losses.push_back(result[0].clone());
      h = result[1].clone();
      c = result[2].clone();
    }
    losses.push_back(h);
    return losses;
  };
  CHECK(same_bits(train(false), train(true)));
}

TEST_CASE("the gradient of an LSTM's last cell is right where the states are used too") {
  manual_seed(10);
  nn::LSTM layer{2, 3, {.dtype = f64}};
  const Tensor x = randn({2, 4, 2}, f64);
  const auto loss = [](const Tensor& in, nn::LSTM& model) {
    const auto [output, state] = model(in);
    return sum(square(output)) + sum(sin(state.cell)) + sum(state.hidden);
  };
  CHECK(gradcheck([&](const Tensor& in) { return loss(in, layer); }, {x}, {.order = 2}).ok());
  CHECK(nn::gradcheck(layer, [&](nn::LSTM& model) { return loss(x, model); }).ok());
}

TEST_CASE("weights that were overwritten since are noticed") {
  nn::GRU layer{2, 3};
  const Tensor loss = sum(layer(ones({1, 2, 2})).output);
  const NoGrad guard;
  Tensor weight = layer.cells[0].weight_input;
  weight.assign(weight * 2);
  CHECK_THROWS_AS(loss.backward(), GraphError);
}

TEST_CASE("a graph of a recurrent layer frees what it holds, after derivatives of second order too") {
  nn::LSTM layer{2, 3};
  const Tensor x = ones({2, 3, 2}).set_requires_grad(true);
  const std::int64_t nodes = memory::statistics().live_nodes, bytes = memory::statistics().live_bytes;
  {
    const auto [output, state] = layer(x);
    const Tensor loss = sum(square(output)) + sum(state.cell);
    const Tensor first = grad(loss, x, {.create_graph = true, .retain_graph = true});
    (void)grad(sum(square(first)), layer.cells[0].weight_input, {.retain_graph = true});
    (void)grad(loss, x, {.retain_graph = true});
  }
  CHECK(memory::statistics().live_nodes == nodes);
  CHECK(memory::statistics().live_bytes == bytes);
}

TEST_CASE("any number of threads gives the same bits") {
  const RestoreThreads restore;
  manual_seed(12);
  nn::LSTM layer{16, 64, {.bidirectional = true}};
  const Tensor x = randn({128, 5, 16});
  std::vector<Tensor> first;
  for (const int n : {1, 2}) {
    set_num_threads(n);
    const Tensor y = layer(x);
    std::vector<Tensor> all = grad(sum(square(y)), layer.parameters());
    all.push_back(y.detach());
    if (first.empty()) first = all;
    CHECK(same_bits(all, first));
  }
}

TEST_CASE("a picture, an explanation and a profile show a recurrent layer") {
  manual_seed(11);
  nn::Sequential model{nn::RNN{1, 1}, nn::Dense{1, 1}};
  const Tensor x = ones({1, 2, 1});
  const auto loss = [&] { return sum(square(model(x))); };
  CHECK(to_svg(loss).find("rnn") != std::string::npos);
  CHECK(explain(loss, model.parameters()[0]).find("tanh") != std::string::npos);
  Profiler profiler;
  loss().backward();
  bool forward = false, backward = false;
  for (const ProfileRow& row : profiler.ops()) {
    forward |= row.name == "rnn";
    backward |= row.name == "rnn_backward";
  }
  CHECK(forward);
  CHECK(backward);
}
