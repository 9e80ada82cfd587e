#pragma once
#include <autograd/kernels/windows.hpp>
#include <vector>

/// How images are laid out for convolutions, and where the taps of a kernel lie in that.
namespace xgrad::kernels {

/// One channel of an image as planes: element a of the plane of `residue` is element a step + residue - shift of the
/// image, or zero. With a step there is a plane for each residue that some tap meets. Taps that reach beyond a row's
/// end meet the zeros at the beginning of the next one, of the same plane or of another.
struct Planes {
  Size stored[image_axes], step[image_axes], shift[image_axes], size[image_axes];
  std::vector<Size> residues[image_axes];

  Size plane() const { return size[0] * size[1] * size[2]; }
  Size channel() const {
    return plane() * Size(residues[0].size()) * Size(residues[1].size()) * Size(residues[2].size());
  }
  /// Where an element lies from the beginning of its plane.
  Size at(const Size* a) const { return (a[0] * size[1] + a[1]) * size[2] + a[2]; }
  /// The elements that so many positions along each axis take, with the gaps between rows.
  Size span(const Size* count) const { return ((count[0] - 1) * size[1] + count[1] - 1) * size[2] + count[2]; }
};

/// Taps that meet all of some positions of the result, and these: position p of the result's `count` is element
/// start + p step, read in the planes from `base` on.
struct Pass {
  Size base, count[image_axes], start[image_axes], step[image_axes];
  std::vector<Size> offsets;  // of each tap of one channel
  std::vector<Size> taps;     // which of the kernel's they are
};

/// A convolution from planes of x, in one pass; and a transposed one from planes of y, in a pass for each residue of
/// the stride that x's positions have.
struct Plan {
  Planes planes;
  std::vector<Pass> passes;
};
Plan plan_of(const Convolution& c);
Plan transposed_plan_of(const Convolution& c);

/// The positions of a pass as lines without gaps, for wide correlations: lines that touch are one.
struct Lines {
  std::vector<Size> starts;
  Size length;

  Lines(const Planes& planes, const Pass& pass);
  Size positions() const { return Size(starts.size()) * length; }
};

/// Rows of a wide correlation in panels of whole lines of memory, as many in each as its tiles take at a time.
struct Panels {
  Size rows, width, padded;

  template <class T>
  static Panels of(Size rows) {
    constexpr Size lanes = 64 / Size(sizeof(T)), most = 3;
    const Size batches = (rows + lanes - 1) / lanes, panels = (batches + most - 1) / most;
    return {rows, (batches + panels - 1) / panels * lanes, batches * lanes};
  }
  /// Of the panel that begins at row `first`.
  Size width_at(Size first) const { return padded - first < width ? padded - first : width; }
  Size rows_at(Size first) const { return rows - first < width ? rows - first : width; }
};

/// Whether a wide correlation of so many rows is quicker: it has no gaps, but its lanes may be left empty.
template <class T>
bool wide_pays(const Plan& plan, Size rows) {
  constexpr Size lanes = 64 / Size(sizeof(T));
  Size wide = 0, along = 0;
  for (const Pass& pass : plan.passes) {
    const Size taps = Size(pass.taps.size());
    wide += taps * Lines(plan.planes, pass).positions() * Panels::of<T>(rows).padded;
    along += taps * ((plan.planes.span(pass.count) + lanes - 1) / lanes * lanes) * rows;
  }
  return wide * 11 < along * 10;
}

/// Copies channels, each contiguous in `from`, into planes; what is zero is left alone.
template <class T>
void to_planes(const Planes& planes, const T* from, Size channels, T* to);
/// Copies rows, `row` apart, of the positions of a pass to a result of extents `out`, of which rows are contiguous.
template <class T>
void from_rows(const Planes& planes, const Pass& pass, const T* from, Size rows, Size row, const Size* out, T* to);
/// The reverse for the pass of a convolution: what is zero is left alone.
template <class T>
void to_rows(const Planes& planes, const Pass& pass, const T* from, Size rows, Size row, T* to);
/// The same two for rows that are columns, positions being `width` apart without a gap.
template <class T>
void from_columns(const Pass& pass, const T* from, Size rows, Size width, const Size* out, T* to);
template <class T>
void to_columns(const Pass& pass, const T* from, Size rows, Size width, T* to);

}  // namespace xgrad::kernels
