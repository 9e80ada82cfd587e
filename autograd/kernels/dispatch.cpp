#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/subnormals.hpp>
#include <cstdlib>
#include <stdexcept>
#include <string>

/// Chooses the instruction set whose kernels the process uses.
namespace xgrad::kernels {

#define XGRAD_DECLARE_TABLE(isa) \
  namespace isa {                \
  const Table& table();          \
  }
XGRAD_DECLARE_TABLE(baseline)
#ifdef XGRAD_ISA_avx2
XGRAD_DECLARE_TABLE(avx2)
#endif
#ifdef XGRAD_ISA_avx512
XGRAD_DECLARE_TABLE(avx512)
#endif
#undef XGRAD_DECLARE_TABLE

Tables available_tables() {
  Tables tables{};
  const auto add = [&](const Table& t) { tables.entries[tables.count++] = &t; };
  add(baseline::table());
#ifdef XGRAD_ISA_avx2
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (has_avx2) add(avx2::table());
#endif
#ifdef XGRAD_ISA_avx512
  // Each feature that the set is compiled with (cmake/Library.cmake).
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl");
  if (has_avx2 && has_avx512) add(avx512::table());
#endif
  return tables;
}

namespace {

const Table& choose() {
  static constexpr const char* names[] = {"baseline", "avx2", "avx512"};  // lowest first
  const Tables tables = available_tables();
  const Table* best = tables.entries[tables.count - 1];
  const char* forced = std::getenv("XGRAD_ISA");
  if (!forced || !*forced) return *best;
  // The best that is not above the forced one: a set that this processor or build lacks gives the next lower.
  const std::string wanted = forced;
  int available = 0;
  for (const char* name : names) {
    if (available < tables.count && std::string(tables.entries[available]->name) == name) ++available;
    if (wanted == name) return *tables.entries[available - 1];
  }
  throw std::runtime_error("XGRAD_ISA is '" + wanted + "'; set it to baseline, avx2 or avx512, or leave it unset");
}

}  // namespace

thread_local constinit const Table* thread_table = nullptr;
thread_local constinit bool SubnormalsAreZero::active_ = false;

const Table& serial_table() {
  static const Table& chosen = choose();
  return chosen;
}

const Table& process_table() {
  static const Table spread = parallel(serial_table());
  return spread;
}

}  // namespace xgrad::kernels
