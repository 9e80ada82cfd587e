#include "training.hpp"

#include "sections.hpp"
#include "sequences.hpp"
#include "torch/peer.hpp"

#include <autograd/autograd.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <stdexcept>
#include <utility>

namespace bench {
namespace {

struct Contestant {
  std::string name;
  MakeTrainer make;
  bool ours = false;
  bool limit = false;
};

std::vector<Contestant> ours(const XgradTrainers& trainers) {
  return {{"xgrad", trainers.eager, true}, {"captured", trainers.captured, true}};
}

/// Compares the first 100 losses, dropout off, of all contestants: those of different programs are timed only if
/// they compute the same.
void check_agreement(const std::vector<Contestant>& contestants, Task task) {
  task.dropout = 0;
  std::vector<std::unique_ptr<Trainer>> trainers;
  for (const Contestant& c : contestants) trainers.push_back(c.make(task));
  for (int step = 1; step <= 100; ++step) {
    for (const auto& trainer : trainers) trainer->step();
    const double expected = trainers[0]->loss();
    for (std::size_t i = 1; i < trainers.size(); ++i) {
      const double found = trainers[i]->loss();
      if (std::abs(found - expected) <= task.agreement) continue;
      char text[200];
      std::snprintf(text, sizeof text,
                    "batch %lld, step %d: the loss of %s is %.7f, that of %s is %.7f; nothing was timed",
                    static_cast<long long>(task.batch), step, contestants[i].name.c_str(), found,
                    contestants[0].name.c_str(), expected);
      throw std::runtime_error(text);
    }
  }
}

/// The time of a trainer's making and first step, in microseconds: what warm-up hides.
double first_step(const Contestant& contestant, const Task& task, std::unique_ptr<Trainer>& trainer) {
  const auto start = std::chrono::steady_clock::now();
  trainer = contestant.make(task);
  trainer->step();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

/// Rows of each program of ours against each peer: for each number of threads, then with the better one on each side.
void add_rows(Run& run, const std::string& name, const std::string& batch, const std::vector<Contestant>& contestants,
              const std::vector<Series>& series) {
  const auto of = [&](std::size_t contestant) {
    std::vector<const Series*> all;
    for (std::size_t i = contestant; i < series.size(); i += contestants.size()) all.push_back(&series[i]);
    return all;
  };
  for (std::size_t us = 0; us < contestants.size(); ++us) {
    if (!contestants[us].ours) continue;
    const Label label{us == 0 ? name : name + ", " + contestants[us].name, "batch", batch};
    const auto mine = of(us);
    const auto add = [&](int threads, std::vector<Series> compared) {
      run.rows.push_back(compare({label.name, label.size_name, label.size, threads}, compared));
    };
    bool alone = true;
    for (std::size_t them = 0; them < contestants.size(); ++them) {
      if (contestants[them].ours) continue;
      alone = false;
      const auto peer = of(them);
      for (std::size_t t = 0; t < mine.size(); ++t) add(run.threads[t], {*mine[t], *peer[t]});
      if (mine.size() > 1) add(Row::best_of_all, {best(mine), best(peer)});
    }
    for (std::size_t t = 0; alone && t < mine.size(); ++t) add(run.threads[t], {*mine[t]});
  }
}

void train(Run& run, const std::string& name, const std::function<Task(std::int64_t batch)>& make_task,
           const std::vector<std::int64_t>& batches, const std::vector<Contestant>& contestants) {
  for (std::int64_t batch : batches) {
    run.progress("batch " + std::to_string(batch));
    set_threads(1);
    const Task task = make_task(batch);
    check_agreement(contestants, task);
    std::vector<std::unique_ptr<Trainer>> trainers(contestants.size());
    std::string note = name + ", batch " + std::to_string(batch) + ", making the model and its first step:";
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      char text[100];
      std::snprintf(text, sizeof text, "%s %s %.0f us", i ? "," : "", contestants[i].name.c_str(),
                    first_step(contestants[i], task, trainers[i]));
      note += text;
    }
    run.notes.push_back(note);
    std::vector<Competitor> competitors;
    for (int threads : run.threads) {
      for (std::size_t i = 0; i < contestants.size(); ++i)
        competitors.push_back(
            {contestants[i].name, repeat([&t = trainers[i]] { t->step(); }), microseconds(),
             [&t = trainers[i], make = contestants[i].make, &task, threads] {
               set_threads(threads);
               t = make(task);  // every block trains the same steps, but for the first, which allocate or record
               for (int step = 0; step < 3; ++step) t->step();
             },
             contestants[i].limit});
    }
    add_rows(run, name, std::to_string(batch), contestants, measure(competitors, run.settings));
    set_threads(1);
  }
}

void train_reference_network(Run& run, const std::vector<Contestant>& contestants) {
  train(
      run, "reference network, step",
      [](std::int64_t batch) {
        return make_task({784, 64, 32, 1}, batch, 0.2);
      },
      {1, 32, 128, 1024}, contestants);
}

/// Training of 784-2048-2048-10 on a batch whose labels are all 0, which the network is sure of by `certainty`, and
/// stays so.
struct OneClass {
  xgrad::nn::Sequential model{xgrad::nn::Dense{784, 2048}, xgrad::nn::ReLU{}, xgrad::nn::Dense{2048, 2048},
                              xgrad::nn::ReLU{}, xgrad::nn::Dense{2048, 10}};
  xgrad::optim::SGD optimizer{model.parameters(), {.lr = 1e-6, .momentum = 0.9}};
  xgrad::Tensor x = xgrad::rand({256, 784}), t = xgrad::zeros({256}, {.dtype = xgrad::i64});

  explicit OneClass(double certainty) {
    const xgrad::NoGrad guard;
    model.parameters().back().assign(xgrad::where(xgrad::arange(0, 10) == 0, xgrad::full({}, certainty), 0.));
  }
  void step() {
    optimizer.zero_grad();
    xgrad::nn::cross_entropy(model(x), t).backward();
    optimizer.step();
  }
};

}  // namespace

void add_batches(Task& task, const std::function<xgrad::Tensor()>& draw, std::int64_t count, std::int64_t classes) {
  using namespace xgrad;
  constexpr int pairs = 32;
  std::vector<Tensor> others;
  for (int i = 0; i < pairs; ++i) {
    task.inputs.push_back(draw());
    const Tensor classified = floor(rand({count}) * double(classes));
    task.targets.push_back(classified.to(i64));
    others.push_back((double(classes - 1) - classified).to(i64));
  }
  for (std::size_t i = 0; i < pairs; ++i) {
    task.inputs.push_back(task.inputs[i]);
    task.targets.push_back(others[i]);
  }
}

Task make_task(const std::vector<std::int64_t>& sizes, std::int64_t batch, double dropout) {
  using namespace xgrad;
  const std::int64_t classes = sizes.back();
  manual_seed(0);
  Task task{batch, dropout, {}, {}, {}};
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    const nn::Dense layer{sizes[i], sizes[i + 1]};
    task.parameters.push_back(layer.weight.detach());
    task.parameters.push_back(layer.bias.detach());
  }
  add_batches(
      task,
      [&] {
        return rand({batch, sizes.front()}) - 0.5;
      },
      batch, std::max<std::int64_t>(classes, 2));
  for (Tensor& t : task.targets)
    if (classes == 1) t = unsqueeze(t.to(f32), 1);
  return task;
}

Task make_lenet_task(std::int64_t batch) {
  using namespace xgrad;
  Task task = make_task({784, 10}, batch, 0);
  task.agreement = 2e-3;  // rounding may choose another of two nearly equal elements of a window
  task.parameters.clear();
  const nn::Sequential model{nn::Conv2d{1, 6, 5}, nn::Conv2d{6, 16, 5}, nn::Dense{400, 120}, nn::Dense{120, 84},
                             nn::Dense{84, 10}};
  for (const Tensor& p : model.parameters()) task.parameters.push_back(p.detach());
  for (Tensor& images : task.inputs) images = reshape(images, {batch, 1, 28, 28});
  return task;
}

void engine(Run& run) {
  std::vector<Contestant> contestants = ours(xgrad_reference_network);
  contestants.push_back({"hand-written", hand_written_reference_network, false, true});
  const std::vector<int> threads = std::exchange(run.threads, {1});
  train_reference_network(run, contestants);
  run.threads = threads;
}

void reference_network(Run& run) {
  std::vector<Contestant> contestants = ours(xgrad_reference_network);
  if (const TorchPeer* torch = torch_peer()) contestants.push_back({"libtorch", torch->reference_network});
  train_reference_network(run, contestants);
}

void converged(Run& run) {
  run.progress("batch 256");
  xgrad::manual_seed(0);
  OneClass unsure(0), sure(84);
  for (const int threads : run.threads) {
    set_threads(threads);
    const auto series = measure({{"subnormal gradients", repeat([&] { sure.step(); }), microseconds()},
                                 {"normal ones", repeat([&] { unsure.step(); }), microseconds(), {}, true}},
                                run.settings);
    run.rows.push_back(compare({"subnormal gradients, step", "batch", "256", threads}, series));
  }
  set_threads(1);
}

void classifier(Run& run) {
  std::vector<Contestant> contestants = ours(xgrad_classifier);
  if (const TorchPeer* torch = torch_peer()) contestants.push_back({"libtorch", torch->classifier});
  train(
      run, "784-128-10 softmax, step",
      [](std::int64_t batch) {
        return make_task({784, 128, 10}, batch, 0);
      },
      {64, 256}, contestants);
}

void lenet(Run& run) {
  std::vector<Contestant> contestants = ours(xgrad_lenet);
  if (const TorchPeer* torch = torch_peer()) contestants.push_back({"libtorch", torch->lenet});
  train(run, "LeNet-5, step", make_lenet_task, {32, 128}, contestants);
}

void sequences(Run& run) {
  const TorchPeer* const torch = torch_peer();
  std::vector<Contestant> contestants = ours(xgrad_lstm);
  if (torch) contestants.push_back({"libtorch", torch->lstm});
  train(run, "LSTM, step", make_lstm_task, {32}, contestants);
  contestants = ours(xgrad_transformer);
  if (torch) contestants.push_back({"libtorch", torch->transformer});
  train(run, "transformer, step", make_transformer_task, {16}, contestants);
}

}  // namespace bench
