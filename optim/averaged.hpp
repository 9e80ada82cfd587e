#pragma once
#include <autograd/state_dict.hpp>

#pragma GCC visibility push(default)

/// Averages of weights over the steps of training generalise better than the last weights:
///
///   optim::Averaged average{model.parameters(), {.decay = .999}};
///   optimizer.step();
///   average.update();                              // after each step
///   {
///     const auto averaged = average.swap_in();     // the model has the averages
///     evaluate(model);
///   }                                              // and its own weights again, to the bit
///
/// An update may stand in a captured step. Buffers, such as running statistics, are not averaged.
namespace xgrad::optim {

struct AveragedOptions {
  double decay = 0.999;
  bool equal = false;  // every update counts the same, and decay is not used
};

/// a = decay a + (1 - decay) p for each parameter p (Polyak and Juditsky 1992), at the first update a = p; or the mean
/// of p over all updates (Izmailov et al. 2018). In the dtype of the parameters, which are defined floating tensors,
/// each given once; anything else, and a decay outside [0, 1), throws ValueError or DtypeError.
class Averaged {
 public:
  explicit Averaged(std::vector<Tensor> parameters, AveragedOptions options = {}, Place place = Place::here());
  Averaged(const Averaged&) = delete;
  Averaged& operator=(const Averaged&) = delete;

  /// Takes the parameters' numbers of now into the averages. Throws DtypeError if a parameter was converted.
  void update(Place place = Place::here());
  std::int64_t updates() const { return updates_; }
  /// In the order of the parameters; copies of these until the first update.
  const std::vector<Tensor>& averages() const { return averages_; }

  /// While alive, parameters and averages have each other's numbers, and the averages can neither be updated, nor saved
  /// or loaded. It must not outlive them.
  class SwappedIn {
   public:
    ~SwappedIn() { owner_.exchange(); }
    SwappedIn(const SwappedIn&) = delete;
    SwappedIn& operator=(const SwappedIn&) = delete;

   private:
    friend class Averaged;
    explicit SwappedIn(Averaged& owner) : owner_(owner) { owner_.exchange(); }
    Averaged& owner_;
  };
  /// Throws ValueError if they are swapped in already, GraphError in a step that is being captured.
  [[nodiscard]] SwappedIn swap_in(Place place = Place::here());

  /// What a later run needs to continue: `updates`, and copies of the averages as `parameter.0.average`.
  StateDict state_dict(Place place = Place::here()) const;
  /// Takes over what `state_dict` gave for parameters of the same shapes and dtypes in the same order. Otherwise throws
  /// ValueError with all that does not fit, and changes nothing.
  void load_state_dict(const StateDict& state, Place place = Place::here());

 private:
  static void update_now(Averaged* average, Place place);
  void check_swapped_out(const OpScope& scope) const;
  void check_parameters(const OpScope& scope) const;
  void exchange();

  std::vector<Tensor> parameters_, averages_;
  AveragedOptions options_;
  std::int64_t updates_ = 0;
  bool swapped_in_ = false;
};

}  // namespace xgrad::optim
#pragma GCC visibility pop
