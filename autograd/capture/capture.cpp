#include <algorithm>
#include <autograd/capture.hpp>
#include <autograd/capture/captured_step.hpp>
#include <autograd/observer.hpp>
#include <optional>

// Which captured step fits a call, and when a call captures anew.
namespace xgrad::detail {

struct CapturedSteps::List {
  // Enough for a few shapes in each of two modes.
  static constexpr std::size_t most = 8;
  std::vector<std::unique_ptr<CapturedStep>> steps;
};

CapturedSteps::CapturedSteps() : list_(std::make_unique<List>()) {}
CapturedSteps::CapturedSteps(CapturedSteps&&) noexcept = default;
CapturedSteps& CapturedSteps::operator=(CapturedSteps&&) noexcept = default;
CapturedSteps::~CapturedSteps() = default;

std::size_t CapturedSteps::run(const Tensor* const* arguments, std::size_t count, Body body) {
  auto& steps = list_->steps;
  std::optional<CapturedStep::Meetings> before;
  int changes = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const CapturedStep::Fit fit = steps[i]->fits(arguments, count);
    if (fit == CapturedStep::Fit::no) continue;
    if (fit == CapturedStep::Fit::never) {
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

  auto step = std::make_unique<CapturedStep>(arguments, count);
  {
    const CapturedStep::Active active(*step, __builtin_frame_address(0));
    std::vector<Tensor> results;
    body(step->arguments().data(), results);
    step->finish(std::move(results), arguments);
    if (before) step->confirm(*before, changes);
  }
  if (steps.size() == List::most) steps.pop_back();
  steps.insert(steps.begin(), std::move(step));
  return steps[0]->result_count();
}

Tensor CapturedSteps::result(std::size_t i) const { return list_->steps[0]->result(i); }
void CapturedSteps::reset() { list_->steps.clear(); }
std::size_t CapturedSteps::size() const { return list_->steps.size(); }

bool runs_plainly() { return capturing::active() || Observing::active(); }

}  // namespace xgrad::detail
