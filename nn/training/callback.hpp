#pragma once
#include <concepts>
#include <memory>
#include <nn/training/history.hpp>
#include <string>

#pragma GCC visibility push(default)

/// What `fit` tells of a run while it goes on. A callback is a struct derived from Callback, or a lambda, which is
/// called after each epoch:
///
///   .callbacks = {nn::EarlyStopping{{.patience = 3}}, [](nn::Run& run) { std::cout << run.scores() << '\n'; }}
///
/// They are told in the order in which they stand. An exception in one ends the run and passes through `fit`; model,
/// files and `trainer.history()` are then as the last step or epoch left them.
namespace xgrad::nn {

class Trainer;

/// A run in progress.
class Run {
 public:
  Trainer& trainer() const { return trainer_; }
  /// The epoch in progress or just over, counted from 1, and how many there are to be.
  int epoch() const { return epoch_; }
  int epochs() const { return epochs_; }
  /// The batches of this epoch that are done, and how many an epoch has.
  std::int64_t batch() const { return batch_; }
  std::int64_t batches() const { return batches_; }
  /// Loss and metrics: after a batch those of the epoch so far; after an epoch those of the validation data as well,
  /// and "lr".
  virtual Scores scores() const = 0;
  /// Whether epochs end with a look at validation data.
  virtual bool validates() const = 0;
  /// The epochs that are over.
  virtual const History& history() const = 0;
  /// A copy of the model's parameters and buffers, with averaged weights where the run makes them.
  virtual StateDict weights() const = 0;
  /// The line that called `fit`.
  Place place() const { return place_; }

  /// Ends the run after this batch, or if it is the epoch's last, after this epoch; `history.stopped()` says why.
  void stop(std::string reason) { reason_ = std::move(reason); }
  /// The same for a run that may go on later from a checkpoint, as after Ctrl-C.
  void pause(std::string reason) {
    reason_ = std::move(reason);
    paused_ = true;
  }
  bool stopping() const { return !reason_.empty(); }
  bool paused() const { return paused_; }
  /// Has each step look at loss and gradients, and end the run before it makes use of one that is not finite.
  void check_finite() { checks_finite_ = true; }

 protected:
  Run(Trainer& trainer, Place place) : trainer_(trainer), place_(place) {}
  ~Run() = default;

  Trainer& trainer_;
  const Place place_;
  int epoch_ = 0, epochs_ = 0;
  std::int64_t batch_ = 0, batches_ = 0;
  std::string reason_;
  bool checks_finite_ = false, paused_ = false;
};

class Callback {
 public:
  virtual ~Callback() = default;
  /// Before the first batch, also of a run that goes on: what will be written is tried here.
  virtual void before_run(Run&) {}
  virtual void before_epoch(Run&) {}
  /// After each step of the optimiser.
  virtual void after_batch(Run&) {}
  virtual void after_epoch(Run&) {}
  /// After the last epoch, or when the run was stopped; not after an exception.
  virtual void after_run(Run&) {}

  /// What checkpoints call it; the type's name unless overridden.
  virtual std::string name() const;
  /// What it needs to go on as if never interrupted; loaded before `before_run`. A run that starts anew loads an empty
  /// state.
  virtual StateDict state_dict() const { return {}; }
  virtual void load_state_dict(const StateDict&) {}
  /// Whether it runs after all that do not: it saves what they hold.
  virtual bool comes_last() const { return false; }
};

namespace detail {
template <class F>
struct AfterEpoch final : Callback {
  explicit AfterEpoch(F function) : f(std::move(function)) {}
  void after_epoch(Run& run) override { f(run); }
  std::string name() const override { return "function"; }
  F f;
};
}  // namespace detail

/// A callback of any type in a list: a copy of it; or the very one, given as a std::shared_ptr.
class CallbackHandle {
 public:
  template <std::derived_from<Callback> C>
  CallbackHandle(C callback) : callback_(std::make_shared<C>(std::move(callback))) {}
  template <std::derived_from<Callback> C>
  CallbackHandle(std::shared_ptr<C> callback) : callback_(std::move(callback)) {}
  template <std::invocable<Run&> F>
  CallbackHandle(F f) : callback_(std::make_shared<detail::AfterEpoch<F>>(std::move(f))) {}

  Callback* operator->() const { return callback_.get(); }
  Callback& operator*() const { return *callback_; }

 private:
  std::shared_ptr<Callback> callback_;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
