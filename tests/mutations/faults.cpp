#include <doctest/doctest.h>
#include <autograd/gradcheck.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutations/harness/fault.hpp>

#include "sanitized.hpp"

using namespace xgrad;
using namespace xgrad::mutations;

namespace {

/// What came of some faults.
struct Tally {
  int planted = 0, caught = 0, op = 0, element = 0, pattern = 0, alone = 0;

  static constexpr const char* header = "%-24s planted caught     op element pattern alone\n";
  void print(const std::string& label) const {
    std::printf("%-24s %7d %6d %6d %7d %7d %5d\n", label.c_str(), planted, caught, op, element, pattern, alone);
  }
};

struct Score {
  Tally all;
  std::map<std::string, Tally> by_fault, by_op;

  void print() const {
    for (const auto* rows : {&by_op, &by_fault}) {
      std::printf(Tally::header, rows == &by_op ? "op" : "fault");
      for (const auto& [label, tally] : *rows) tally.print(label);
    }
    all.print("all");
  }
};

/// Whether the report says what is wrong: the first op that it names must be the planted one, by its name and its line,
/// with the input; the element must be one that the fault makes wrong, and the pattern the fault's.
void judge(const Faulty& faulty, const Plan& plan, const GradcheckReport& report, std::uint64_t seed, Score& score) {
  bool op = false, element = false, pattern = false, alone = true;
  std::string said = "nothing";
  for (const GradcheckCulprit& c : report.culprits()) {
    const bool here = c.op == plan.site.name && c.place.line == plan.site.line;
    alone &= here;
    if (&c != &report.culprits()[0]) continue;
    said = text(c.op, " at ", c.place.line, ", input ", c.input, ", element ", c.element, ", order ", c.order, ", '",
                c.pattern, "'");
    op = here && c.input == plan.site.argument && c.order == plan.order();
    element = op && faulty.wrong(c.element);
    pattern = op && (c.pattern == plan.pattern() || (c.pattern == "one element" && faulty.wrong_elements() == 1));
  }
  for (Tally* t : {&score.all, &score.by_fault[name_of(plan.fault)], &score.by_op[plan.site.name]}) {
    ++t->planted;
    t->caught += !report.ok();
    t->op += op;
    t->element += element;
    t->pattern += pattern;
    t->alone += op && alone;
  }
  if (report.ok() || !element || !pattern || !alone)
    std::printf("%s\n",
                text("program ", seed, ": ", name_of(plan.fault), " of ", plan.site.name, " at ", plan.site.line,
                     ", input ", plan.site.argument, ": ", plan.site.input, " -> ", plan.site.output,
                     report.ok() ? ": missed" : ": caught", "; named ", report.culprits().size(), ", first ", said)
                    .c_str());
}

/// Plants a fault of this kind, into an input of at least so many elements, where the fewest have been; if there is a
/// place for it.
void plant(const Program& program, Fault fault, std::uint64_t seed, Score& score, std::int64_t least = 1) {
  std::vector<Plan> all;
  for (const Site& site : sites(program)) {
    if (site.input.size() < least) continue;
    const std::vector<Plan> here = plans(fault, site, seed * 7919 + static_cast<std::uint64_t>(site.line) * 104729);
    all.insert(all.end(), here.begin(), here.end());
  }
  std::stable_sort(all.begin(), all.end(), [&](const Plan& a, const Plan& b) {
    return score.by_op[a.site.name].planted < score.by_op[b.site.name].planted;
  });
  for (const Plan& plan : all) {
    Faulty faulty(program, plan);
    if (!faulty.matters()) continue;
    judge(faulty, plan, gradcheck(faulty, program.inputs, {.order = plan.order()}), seed, score);
    return;
  }
}

}  // namespace

TEST_CASE("faults planted into the rules of random programs are caught, located and named") {
  const char* const given = std::getenv("XGRAD_MUTATIONS");  // more programs than the test takes
  const std::uint64_t usual = sanitized ? 112 : 420;
  const std::uint64_t programs = given ? std::strtoull(given, nullptr, 10) : usual;
  Score score;
  for (std::uint64_t seed = 0; seed < programs; ++seed)
    plant(random_program(seed), static_cast<Fault>(seed % fault_count), seed, score);
  score.print();
  const int planted = score.all.planted;
  CHECK(planted >= static_cast<int>(programs * 9 / 10));  // at least 300 without sanitizers
  CHECK(score.by_op.size() >= 40);
  CHECK(score.by_fault.size() == fault_count);
  CHECK(score.all.caught >= 0.99 * planted);
  CHECK(score.all.op >= 0.99 * planted);
  CHECK(score.all.element >= 0.95 * planted);
  CHECK(score.all.pattern >= 0.7 * planted);
}

TEST_CASE("one wrong element of ten thousand is caught and located") {
  Score score;
  for (std::uint64_t seed = 0; seed < 5; ++seed) plant(wide_program(seed), Fault::one_element, seed, score, 10000);
  score.print();
  CHECK(score.all.planted == 5);
  CHECK(score.all.element == 5);
  CHECK(score.all.pattern == 5);
}
