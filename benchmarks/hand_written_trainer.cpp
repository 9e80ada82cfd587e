#include "hand_written.hpp"
#include "training.hpp"

namespace bench {
namespace {

class HandWrittenTrainer : public Trainer {
 public:
  explicit HandWrittenTrainer(const Task& task)
      : task_(task), step_(together(task.parameters), task.batch, {.dropout = task.dropout, .lr = Task::lr}) {}

  void step() override {
    last_ = step_.step(task_.inputs[next_].data<float>(), task_.targets[next_].data<float>());
    next_ = (next_ + 1) % task_.inputs.size();
  }
  double loss() const override { return last_; }

 private:
  static std::vector<float> together(const std::vector<xgrad::Tensor>& parameters) {
    std::vector<float> all;
    for (const xgrad::Tensor& p : parameters) all.insert(all.end(), p.data<float>(), p.data<float>() + p.size());
    return all;
  }

  const Task& task_;
  HandWrittenStep step_;
  float last_ = 0;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Trainer> hand_written_reference_network(const Task& task) {
  return std::make_unique<HandWrittenTrainer>(task);
}

}  // namespace bench
