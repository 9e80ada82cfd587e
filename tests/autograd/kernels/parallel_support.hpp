#pragma once
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/pieces.hpp>
#include <autograd/kernels/subnormals.hpp>

#include "reference.hpp"

/// What the tests of the table that spreads work over threads share.
namespace reference {

using xgrad::kernels::process_table, xgrad::kernels::serial_table, xgrad::kernels::set_threads,
    xgrad::kernels::SubnormalsAreZero, xgrad::kernels::threads;

/// Restores the number of threads.
class Threads {
 public:
  ~Threads() { set_threads(before_); }

 private:
  int before_ = threads();
};

/// Their sum, for which enough of them are spread over the threads.
inline float parallel_sum(const std::vector<float>& x) {
  using namespace xgrad::kernels;
  float y = 0;
  process_table().reduce[int(Reduce::sum)][int(xgrad::f32)](x.data(), &y, 1, Size(x.size()), 1);
  return y;
}

/// The results of call(table, y): those of one thread, having found that other numbers of threads give the same bits.
template <class T, class Call>
std::vector<T> same_for_any_threads(const std::vector<T>& start, Call call) {
  const Threads restore;
  std::vector<T> first;
  for (const int n : {1, 2, 7}) {
    set_threads(n);
    std::vector<T> y = start;
    call(process_table(), y.data());
    if (first.empty()) first = y;
    INFO("threads ", n);
    CHECK(same_bits(y, first));
  }
  return first;
}

/// The same for a kernel whose results do not depend on the cut: they are those of the serial table.
template <class T, class Call>
void check_exact(const std::vector<T>& start, Call call) {
  std::vector<T> expected = start;
  {
    const SubnormalsAreZero scope;  // as the process table has it
    call(serial_table(), expected.data());
  }
  const auto got = same_for_any_threads(start, call);
  CHECK(same_bits(got, expected));
}

template <class T, class Call>
void check_close(const std::vector<T>& start, double tolerance, Call call) {
  std::vector<T> expected = start;
  {
    const SubnormalsAreZero scope;  // as the process table has it
    call(serial_table(), expected.data());
  }
  const auto got = same_for_any_threads(start, call);
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    if (got[i] != expected[i])
      worst = std::max(worst, std::fabs(double(got[i]) - double(expected[i])) / (1 + std::fabs(double(expected[i]))));
  CHECK(worst <= tolerance);
}

/// A loop over two arrays from its sizes and their strides.
inline xgrad::kernels::Loop<2> loop2(const std::vector<Size>& sizes, const std::vector<Size>& a,
                                     const std::vector<Size>& b) {
  xgrad::kernels::Loop<2> loop;
  loop.rank = int(sizes.size());
  std::copy(sizes.begin(), sizes.end(), loop.sizes);
  std::copy(a.begin(), a.end(), loop.strides[0]);
  std::copy(b.begin(), b.end(), loop.strides[1]);
  return loop;
}

template <class T>
inline constexpr int of = int(xgrad::dtype_of<T>);

}  // namespace reference
