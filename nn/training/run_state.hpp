#pragma once
#include <memory>
#include <nn/training/progress.hpp>
#include <optim/averaged.hpp>

/// Where a run stands, besides what the model and the optimiser hold: what a checkpoint saves of it.
namespace xgrad::nn::detail {

class Fit;

/// While alive, the model has its averaged weights, if there are any.
class Averages {
 public:
  Averages(optim::Averaged* average, Place place) {
    if (average && average->updates() > 0) swapped_.reset(new Swapped{average->swap_in(place)});
  }

 private:
  struct Swapped {
    optim::Averaged::SwappedIn in;
  };
  std::unique_ptr<Swapped> swapped_;
};

struct RunState {
  std::int64_t epoch = 0, batch = 0;  // epochs that are over, and batches of the next one
  std::int64_t rows = 0, batch_size = 0;
  std::uint64_t seed = 0;
  Average loss;        // of the epoch so far
  double seconds = 0;  // that its steps have taken
  History history;
  std::vector<StateDict> metrics;  // of the epoch so far, unless the run is in progress
  std::vector<std::pair<std::string, StateDict>> callbacks;
  StateDict average;  // of weights, where it was loaded

  bool goes_on = false;     // loaded: the next fit continues it
  RandomState random = {};  // at the end of the run, or where it was saved
  const Fit* running = nullptr;
};

}  // namespace xgrad::nn::detail
