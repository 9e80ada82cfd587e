#include <doctest/doctest.h>
#include <autograd/gradcheck.hpp>
#include <mutations/harness/program.hpp>

using namespace xgrad;
using namespace xgrad::mutations;

namespace {

void check_right(const Program& program, std::uint64_t seed, int order) {
  const GradcheckReport report = gradcheck(program, program.inputs, {.order = order, .locate = Locate::always});
  INFO("program ", seed, ", order ", order);
  CHECK_MESSAGE(report.ok(), report.str());
  CHECK_MESSAGE(report.culprits().empty(), report.str());
}

}  // namespace

TEST_CASE("no alarm is raised, and no op blamed, over a hundred right programs of 5 to 30 ops") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) check_right(random_program(seed), seed, 1);
}

TEST_CASE("nor over their second and third derivatives") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) check_right(random_program(seed), seed, 2);
  for (std::uint64_t seed = 0; seed < 5; ++seed) check_right(random_program(seed), seed, 3);
}

TEST_CASE("nor over programs of ten thousand numbers") {
  for (std::uint64_t seed = 0; seed < 2; ++seed) check_right(wide_program(seed), seed, 1);
}
