#include <algorithm>
#include <autograd/kernels/pieces.hpp>
#include <autograd/kernels/planes.hpp>
#include <autograd/kernels/table.hpp>

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

/// The elements of an axis' plane that lie in the image: [first, last).
struct Inside {
  Size first, last;
  Inside(const Planes& p, int d, Size residue) {
    const Size before = p.shift[d] - residue;  // element a is a step - before of the image
    first = before > 0 ? divide_up(before, p.step[d]) : 0;
    last = std::clamp<Size>(divide_up(p.stored[d] + before, p.step[d]), first, std::max(first, p.size[d]));
  }
};

/// Rows `count` positions long read zeros behind the image, which may be those before its next row: few enough that the
/// slack has as many behind the last one.
void share_zeros(Planes& p, Size count) {
  const Size behind = p.size[2] - p.shift[2] - p.stored[2];
  p.size[2] -= std::max<Size>(std::min({p.shift[2], behind, p.size[2] - count, slack / 2}), 0);
}

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
  if (c.stride[2] == 1) share_zeros(planes, c.out[2]);
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
  share_zeros(planes, planes.size[2] - planes.shift[2]);
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

Lines::Lines(const Planes& planes, const Pass& pass) : length(pass.count[2]) {
  const Size* const n = pass.count;
  const bool touch = planes.size[2] == n[2];
  if (touch) length *= n[1];
  for (Size a = 0; a < n[0]; ++a)
    for (Size b = 0; b < (touch ? 1 : n[1]); ++b) starts.push_back((a * planes.size[1] + b) * planes.size[2]);
}

namespace {

/// Copies (rows, n0, n1, n2) elements.
template <class T>
void copy(const T* from, T* to, Loop<2> loop) {
  if (loop.count() == 0) return;
  loop.collapse();
  serial_table().copy[int(dtype_of<T>)](from, to, loop);
}

}  // namespace

template <class T>
void to_planes(const Planes& p, const T* from, Size channels, T* to) {
  const Size row = p.stored[2], slice = p.stored[1] * row, stored = p.stored[0] * slice;
  for (const Size r0 : p.residues[0])
    for (const Size r1 : p.residues[1])
      for (const Size r2 : p.residues[2]) {
        const Inside in0(p, 0, r0), in1(p, 1, r1), in2(p, 2, r2);
        const Size first = (in0.first * p.step[0] + r0 - p.shift[0]) * slice +
                           (in1.first * p.step[1] + r1 - p.shift[1]) * row + in2.first * p.step[2] + r2 - p.shift[2];
        const Size at[] = {in0.first, in1.first, in2.first};
        copy(from + first, to + p.at(at),
             {4,
              {channels, in0.last - in0.first, in1.last - in1.first, in2.last - in2.first},
              {{p.channel(), p.size[1] * p.size[2], p.size[2], 1},
               {stored, p.step[0] * slice, p.step[1] * row, p.step[2]}}});
        to += p.plane();
      }
}

template <class T>
void from_rows(const Planes& p, const Pass& pass, const T* from, Size rows, Size row, const Size* out, T* to) {
  const Size slice = out[1] * out[2];
  copy(from, to + pass.start[0] * slice + pass.start[1] * out[2] + pass.start[2],
       {4,
        {rows, pass.count[0], pass.count[1], pass.count[2]},
        {{out[0] * slice, pass.step[0] * slice, pass.step[1] * out[2], pass.step[2]},
         {row, p.size[1] * p.size[2], p.size[2], 1}}});
}

template <class T>
void to_rows(const Planes& p, const Pass& pass, const T* from, Size rows, Size row, T* to) {
  const Size* const n = pass.count;
  copy(from, to,
       {4,
        {rows, n[0], n[1], n[2]},
        {{row, p.size[1] * p.size[2], p.size[2], 1}, {n[0] * n[1] * n[2], n[1] * n[2], n[2], 1}}});
}

template <class T>
void from_columns(const Pass& pass, const T* from, Size rows, Size width, const Size* out, T* to) {
  const Size slice = out[1] * out[2];
  const Size* const n = pass.count;
  copy(from, to + pass.start[0] * slice + pass.start[1] * out[2] + pass.start[2],
       {4,
        {rows, n[0], n[1], n[2]},
        {{out[0] * slice, pass.step[0] * slice, pass.step[1] * out[2], pass.step[2]},
         {1, n[1] * n[2] * width, n[2] * width, width}}});
}

template <class T>
void to_columns(const Pass& pass, const T* from, Size rows, Size width, T* to) {
  const Size positions = pass.count[0] * pass.count[1] * pass.count[2];
  copy(from, to, {2, {positions, rows}, {{width, 1}, {1, positions}}});
}

template void to_planes(const Planes&, const float*, Size, float*);
template void to_planes(const Planes&, const double*, Size, double*);
template void from_rows(const Planes&, const Pass&, const float*, Size, Size, const Size*, float*);
template void from_rows(const Planes&, const Pass&, const double*, Size, Size, const Size*, double*);
template void to_rows(const Planes&, const Pass&, const float*, Size, Size, float*);
template void to_rows(const Planes&, const Pass&, const double*, Size, Size, double*);
template void from_columns(const Pass&, const float*, Size, Size, const Size*, float*);
template void from_columns(const Pass&, const double*, Size, Size, const Size*, double*);
template void to_columns(const Pass&, const float*, Size, Size, float*);
template void to_columns(const Pass&, const double*, Size, Size, double*);

}  // namespace xgrad::kernels
