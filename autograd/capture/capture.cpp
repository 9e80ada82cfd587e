#include <algorithm>
#include <autograd/capture.hpp>
#include <autograd/capture/recorded_step.hpp>
#include <autograd/observer.hpp>
#include <optional>

// Which captured step fits a call, and when a call captures anew.
namespace xgrad::detail {

struct Recordings::List {
  // Enough for a few shapes in each of two modes.
  static constexpr std::size_t most = 8;
  std::vector<std::unique_ptr<RecordedStep>> steps;
};

Recordings::Recordings() : list_(std::make_unique<List>()) {}
Recordings::Recordings(Recordings&&) noexcept = default;
Recordings& Recordings::operator=(Recordings&&) noexcept = default;
Recordings::~Recordings() = default;

std::size_t Recordings::run(const Tensor* const* arguments, std::size_t count, Body body) {
  auto& steps = list_->steps;
  std::optional<RecordedStep::Meetings> before;
  int changes = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const RecordedStep::Fit fit = steps[i]->fits(arguments, count);
    if (fit == RecordedStep::Fit::no) continue;
    if (fit == RecordedStep::Fit::never) {
      steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(i--));
      continue;
    }
    const auto fitting = steps.begin() + static_cast<std::ptrdiff_t>(i);
    if (!steps[i]->confirmed()) {
      // Gone before the next run, so that what it alone still holds counts as let go of.
      before = steps[i]->take_meetings();
      changes = steps[i]->changes();
      steps.erase(fitting);
      break;
    }
    std::rotate(steps.begin(), fitting, fitting + 1);
    steps[0]->replay(arguments);
    return steps[0]->result_count();
  }

  auto step = std::make_unique<RecordedStep>(arguments, count);
  {
    const RecordedStep::Active active(*step, __builtin_frame_address(0));
    std::vector<Tensor> results;
    body(step->arguments().data(), results);
    step->finish(std::move(results), arguments);
    if (before) step->confirm(*before, changes);
  }
  if (steps.size() == List::most) steps.pop_back();
  steps.insert(steps.begin(), std::move(step));
  return steps[0]->result_count();
}

Tensor Recordings::result(std::size_t i) const { return list_->steps[0]->result(i); }
void Recordings::reset() { list_->steps.clear(); }
std::size_t Recordings::size() const { return list_->steps.size(); }

bool runs_plainly() { return recording::active() || Observing::active(); }

}  // namespace xgrad::detail
