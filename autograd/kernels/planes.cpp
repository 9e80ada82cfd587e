#include <algorithm>
#include <autograd/kernels/pieces.hpp>
#include <autograd/kernels/planes.hpp>
#include <cstring>

/// How images are laid out for convolutions, and where the taps of a kernel lie in that.
namespace xgrad::kernels {
namespace {

/// Calls body(k0, k1, k2) for all positions below `sizes`.
template <class Body>
void for_each_position(const Size* sizes, Body body) {
  Size k[image_axes];
  for (k[0] = 0; k[0] < sizes[0]; ++k[0])
    for (k[1] = 0; k[1] < sizes[1]; ++k[1])
      for (k[2] = 0; k[2] < sizes[2]; ++k[2]) body(static_cast<const Size*>(k));
}

/// Copies n elements in blocks, of which the last may overlap the one before it. Rows are short and many.
template <Size block, class T>
void copy_blocks(const T* from, T* to, Size n) {
  for (Size i = 0; i + block <= n; i += block) std::memcpy(to + i, from + i, block * sizeof(T));
  std::memcpy(to + n - block, from + n - block, block * sizeof(T));
}

/// Copies a row of n elements that lie apart in one of the two.
template <class T>
void copy_row(const T* from, Size from_step, T* to, Size to_step, Size n) {
  if (from_step == 1 && to_step == 1) {
    if (n >= 16) return copy_blocks<16>(from, to, n);
    if (n >= 4) return copy_blocks<4>(from, to, n);
  }
  for (Size i = 0; i < n; ++i) to[i * to_step] = from[i * from_step];
}

/// The elements of an axis' plane that lie in the image: [first, last).
struct Inside {
  Size first, last;
  Inside(const Planes& p, int d, Size residue) {
    const Size before = p.shift[d] - residue;  // element a is a step - before of the image
    first = before > 0 ? divide_up(before, p.step[d]) : 0;
    last = std::clamp<Size>(divide_up(p.stored[d] + before, p.step[d]), first, std::max(first, p.size[d]));
  }
};

}  // namespace

Plan plan_of(const Convolution& c) {
  Plan plan;
  Planes& planes = plan.planes;
  std::vector<Size> number[image_axes];  // of a residue's plane
  for (int d = 0; d < image_axes; ++d) {
    planes.stored[d] = c.in[d], planes.step[d] = c.stride[d], planes.shift[d] = c.before[d];
    planes.size[d] = c.out[d] + c.dilation[d] * (c.kernel[d] - 1) / c.stride[d];
    for (Size k = 0; k < c.kernel[d]; ++k) {
      auto& residues = planes.residues[d];
      const Size residue = c.dilation[d] * k % c.stride[d];
      const auto known = std::find(residues.begin(), residues.end(), residue);
      number[d].push_back(known - residues.begin());
      if (known == residues.end()) residues.push_back(residue);
    }
  }
  Pass pass{0, {c.out[0], c.out[1], c.out[2]}, {0, 0, 0}, {1, 1, 1}, {}, {}};
  for_each_position(c.kernel, [&](const Size* k) {
    Size plane = 0, at[image_axes];
    for (int d = 0; d < image_axes; ++d) {
      plane = plane * Size(planes.residues[d].size()) + number[d][std::size_t(k[d])];
      at[d] = c.dilation[d] * k[d] / c.stride[d];
    }
    pass.taps.push_back(Size(pass.taps.size()));
    pass.offsets.push_back(plane * planes.plane() + planes.at(at));
  });
  plan.passes.push_back(std::move(pass));
  return plan;
}

Plan transposed_plan_of(const Convolution& c) {
  // Position j = i + before of the padded x gets w[k] y[o] where j = stride o + dilation k. Of the j with one residue,
  // j = stride a + residue, every tap that fits meets o = a - m, m = (dilation k - residue) / stride.
  Plan plan;
  Planes& planes = plan.planes;
  for (int d = 0; d < image_axes; ++d) {
    planes.stored[d] = c.out[d], planes.step[d] = 1, planes.residues[d] = {0};
    planes.shift[d] = c.dilation[d] * (c.kernel[d] - 1) / c.stride[d];
    planes.size[d] = planes.shift[d] + (c.in[d] - 1 + c.before[d]) / c.stride[d] + 1;
  }
  for_each_position(c.stride, [&](const Size* residue) {
    Pass pass;
    Size first[image_axes];
    for (int d = 0; d < image_axes; ++d) {
      const Size before = c.before[d] - residue[d], end = c.in[d] + before;
      first[d] = before > 0 ? divide_up(before, c.stride[d]) : 0;
      pass.count[d] = (end > 0 ? divide_up(end, c.stride[d]) : 0) - first[d];
      pass.start[d] = first[d] * c.stride[d] - before;
      pass.step[d] = c.stride[d];
      if (pass.count[d] <= 0) return;
    }
    pass.base = planes.at(first);
    Size tap = 0;
    for_each_position(c.kernel, [&](const Size* k) {
      bool meets = true;
      Size at[image_axes];
      for (int d = 0; d < image_axes; ++d) {
        const Size apart = c.dilation[d] * k[d] - residue[d];
        meets &= apart % c.stride[d] == 0;
        at[d] = planes.shift[d] - (c.dilation[d] * k[d] - residue[d] % c.stride[d]) / c.stride[d];
      }
      if (meets) {
        pass.taps.push_back(tap);
        pass.offsets.push_back(planes.at(at));
      }
      ++tap;
    });
    plan.passes.push_back(std::move(pass));
  });
  return plan;
}

template <class T>
void to_planes(const Planes& p, const T* from, Size channels, T* to) {
  const Size stored = p.stored[0] * p.stored[1] * p.stored[2];
  for (Size channel = 0; channel < channels; ++channel, from += stored)
    for (const Size r0 : p.residues[0])
      for (const Size r1 : p.residues[1])
        for (const Size r2 : p.residues[2]) {
          const Inside in0(p, 0, r0), in1(p, 1, r1), in2(p, 2, r2);
          for (Size a0 = in0.first; a0 < in0.last; ++a0)
            for (Size a1 = in1.first; a1 < in1.last; ++a1) {
              const Size i0 = a0 * p.step[0] + r0 - p.shift[0], i1 = a1 * p.step[1] + r1 - p.shift[1],
                         i2 = in2.first * p.step[2] + r2 - p.shift[2];
              copy_row(from + (i0 * p.stored[1] + i1) * p.stored[2] + i2, p.step[2],
                       to + (a0 * p.size[1] + a1) * p.size[2] + in2.first, 1, in2.last - in2.first);
            }
          to += p.plane();
        }
}

template <class T>
void from_rows(const Planes& p, const Pass& pass, const T* from, Size rows, Size row, const Size* out, T* to) {
  for (Size r = 0; r < rows; ++r, from += row, to += out[0] * out[1] * out[2])
    for (Size a0 = 0; a0 < pass.count[0]; ++a0)
      for (Size a1 = 0; a1 < pass.count[1]; ++a1)
        copy_row(from + (a0 * p.size[1] + a1) * p.size[2], 1,
                 to + ((pass.start[0] + a0 * pass.step[0]) * out[1] + pass.start[1] + a1 * pass.step[1]) * out[2] +
                     pass.start[2],
                 pass.step[2], pass.count[2]);
}

template <class T>
void to_rows(const Planes& p, const Pass& pass, const T* from, Size rows, Size row, T* to) {
  for (Size r = 0; r < rows; ++r, to += row)
    for (Size a0 = 0; a0 < pass.count[0]; ++a0)
      for (Size a1 = 0; a1 < pass.count[1]; ++a1, from += pass.count[2])
        copy_row(from, 1, to + (a0 * p.size[1] + a1) * p.size[2], 1, pass.count[2]);
}

template void to_planes(const Planes&, const float*, Size, float*);
template void to_planes(const Planes&, const double*, Size, double*);
template void from_rows(const Planes&, const Pass&, const float*, Size, Size, const Size*, float*);
template void from_rows(const Planes&, const Pass&, const double*, Size, Size, const Size*, double*);
template void to_rows(const Planes&, const Pass&, const float*, Size, Size, float*);
template void to_rows(const Planes&, const Pass&, const double*, Size, Size, double*);

}  // namespace xgrad::kernels
