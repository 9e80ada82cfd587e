#pragma once
#include <autograd/capture/arena.hpp>
#include <autograd/core/capturing.hpp>
#include <autograd/node.hpp>
#include <deque>
#include <map>

namespace xgrad {

/// One run of a function of tensors, written down: its calls, the arena that their arrays lie in, and what must hold
/// for a replay to do what the function would do.
class CapturedStep final : public capturing::Listener {
 public:
  CapturedStep(const Tensor* const* given, std::size_t count);

  /// What the function gets in place of the given tensors: copies, whose addresses tell what is read of which.
  const std::vector<Tensor>& arguments() const { return arguments_; }
  /// Records what this thread does while it is alive, in functions whose frames lie below `frame`.
  class Active {
   public:
    Active(CapturedStep& step, const void* frame) : kernels_(&step) {
      step.stack_top_ = frame;
      capturing::current = &step;
    }
    ~Active() { capturing::current = nullptr; }
    Active(const Active&) = delete;
    Active& operator=(const Active&) = delete;

   private:
    const kernels::CaptureScope kernels_;
  };
  /// Ends the capture of a function that returned `results`.
  void finish(std::vector<Tensor>&& results, const Tensor* const* given);

  /// Tensors that the function met and that are older than its run, in the order in which it met them.
  struct Met {
    const std::byte* data;
    Dtype dtype;
    Shape shape;
    const char* op;  // that read it first
    Place place;
    std::string describe() const;
  };
  using Meetings = std::vector<Met>;
  /// Gives up the meetings, for the next run to be compared with.
  Meetings take_meetings() { return std::move(met_); }
  /// Compares this run with the one before it. Throws GraphError if the function met other tensors for the second time:
  /// it moves on from one to the next, and a replay would stay.
  void confirm(const Meetings& before, int changes_before);
  bool confirmed() const { return confirmed_; }
  /// How often in a row the function met other tensors than in the run before.
  int changes() const { return changes_; }

  enum class Fit { yes, no, never };
  /// Whether a replay does what the function would do now.
  Fit fits(const Tensor* const* given, std::size_t count) const;
  void replay(const Tensor* const* given);

  std::size_t result_count() const { return results_.size(); }
  /// The numbers of a result of the last run, in memory of their own.
  Tensor result(std::size_t i) const;

  Storage* make_storage(std::size_t bytes) override;
  void release_storage(Storage* storage) override;
  void keep(const Tensor& t) override;
  void keep(const Array& array) override;
  void add_constant(const Array& array) override;
  void set_grad(Node& node, Tensor&& g) override;
  void reads_grad(const Node& node) override;
  const capturing::Words* words_of_op() override;

 private:
  /// An array in the arena that is alive.
  struct Block {
    Storage* storage;
    bool written;
    const char* op;  // that made it; null outside of all
    Place place;
  };
  /// A tensor that is not of this step, as it was met.
  struct Handle {
    Tensor t;
    const Node* node;
    const void* data;
  };
  struct Foreign {
    Ref<Storage> storage;
    std::vector<Handle> handles;
    bool constant;  // made in this step, of the program's numbers
  };
  /// A pointer, at a word of the calls, that leads so many bytes into an argument.
  struct Slot {
    std::size_t at;
    std::ptrdiff_t offset;
  };
  struct Parameter {
    bool defined;
    Dtype dtype;
    Shape shape;
    Tensor itself;          // if it requires a gradient
    const std::byte* data;  // of the last run, if not
    std::vector<Slot> slots;
  };
  struct Gradient {
    Ref<Node> node;
    Tensor g;
  };
  struct EntryGradient {
    Ref<Node> node;
    Ref<Storage> storage;
  };
  struct Result {
    Dtype dtype;
    Shape shape;
    const std::byte* data;  // null where the result is part of an argument, or undefined
    int argument;           // -1 if none
    std::ptrdiff_t offset;
  };

  bool is_local(const void* p) const override;
  const void* reads(const void* p) override;
  void writes(void* p) override;
  void pointer_at(std::size_t at) override;
  void random_at(std::size_t at) override;

  Block* block_of(const void* p);
  bool is_foreign(const void* p) const;
  int argument_of(const void* p) const;
  void meet(const Array& array);
  [[noreturn]] void fail_dropped(const Foreign& foreign) const;
  void place_arguments(const Tensor* const* given);
  static void replace_gradient(const Gradient* gradient);

  const void* stack_top_ = nullptr;
  Ref<Arena> arena_ = Arena::make();

  // Only while it is captured; by the address of the first element.
  std::map<const std::byte*, Block> blocks_;
  std::map<const std::byte*, Foreign> foreign_;
  std::vector<Tensor> arguments_;
  Meetings met_;  // until the next run

  bool confirmed_ = false;  // the run before met the same
  int changes_ = 0;
  std::vector<Parameter> parameters_;
  std::deque<capturing::Words> words_;
  std::deque<Gradient> gradients_;
  std::vector<Result> results_;
  std::vector<Ref<Storage>> escaped_;  // arrays in the arena that somebody holds

  // What must be as it was.
  const bool grad_enabled_;
  const std::uint64_t modes_;
  std::vector<EntryGradient> entry_gradients_;
  std::vector<Handle> handles_;         // tensors that others hold, too
  std::vector<Ref<Storage>> storages_;  // arrays of tensors that only this step holds; those below `shared_`
  std::size_t shared_ = 0;              // were held by others, too

  // Seeds and streams stand at these words. A stream of the seed at the start follows on where a replay starts.
  RandomState random_begin_, random_end_;
  struct Draw {
    std::size_t at;
    std::uint64_t offset;
  };
  std::vector<Draw> draws_;
};

}  // namespace xgrad
