#pragma once
#include <autograd/file_path.hpp>
#include <autograd/observer.hpp>
#include <memory>

#pragma GCC visibility push(default)

namespace xgrad {

/// One line of a profile: an op, or a module, in one part of the program.
struct ProfileRow {
  enum class Part { forward, backward, optimizer };
  Part part;
  std::string name;        // "dense", "dense vjp", "backward", "Adam"; of a module "model[0] (Dense 784 -> 64)"
  std::int64_t calls = 0;  // of a module: of the ops in it
  double total = 0;        // seconds, with all that ran inside
  double self = 0;         // seconds, without it
  std::int64_t bytes = 0;  // allocated by results
  double flops = 0;
};

/// Measures what its thread does while it is alive, by op and by module, with the forward pass, the backward pass and
/// optimisers apart:
///
///   Profiler profiler;
///   for (int i = 0; i < 100; ++i) train_step();
///   std::cout << profiler.str();
///   profiler.write_chrome_trace("trace.json");   // for chrome://tracing or ui.perfetto.dev
///
/// Its clock stands still while it takes notes, so that times are those of the program. In the backward pass "dense
/// vjp" is a rule of dense, in which other ops run; they have rows of their own, and what is left of the pass, sums of
/// gradients and the walk itself, is the time of "backward" itself. Modules are those that messages name, a rule's is
/// that of its op; "-" stands for code outside of all.
///
/// `bytes` are those of results with storage of their own. `flops` counts two for each multiplication and addition of a
/// matrix product, in recurrent layers and attention too, one for each element of the larger of input and output for
/// any other op that calculates, whatever its function costs, and none for ops that move numbers. Optimisers have times
/// only. Captured steps (autograd/capture.hpp) are simply run, because a replay has no ops. Without a profiler nothing
/// is measured.
class [[nodiscard]] Profiler : private Observer {
 public:
  Profiler();
  ~Profiler() override;

  /// By part, and in it the longest time of its own first. A row's total, bytes and flops include what ran inside.
  std::vector<ProfileRow> ops() const;
  /// Likewise; of the time of the ops themselves, so that rows add up to the whole.
  std::vector<ProfileRow> modules() const;
  /// Both as tables.
  std::string str() const;
  /// Everything that was measured, in the Trace Event Format of Chrome, up to a million events. The file is replaced as
  /// a whole or not at all; throws FileError if it cannot be written.
  void write_chrome_trace(const FilePath& path, Place place = Place::here()) const;

 private:
  struct Notes;

  void op_starts(const OpCall& call) override;
  void op_ends(const OpCall& call, const Tensor& result) override;
  void vjp_starts(const Node& node, const Edge& edge, const Tensor& g) override;
  void vjp_ends(const Node& node, const Edge& edge, Tensor& result) override;
  void phase_starts(Phase phase, const char* name, Place place) override;
  void phase_ends(Phase phase) override;

  std::unique_ptr<Notes> notes_;
  Observing observing_;
};

}  // namespace xgrad
#pragma GCC visibility pop
