#include <algorithm>
#include <autograd/kernels/blocks.hpp>
#include <autograd/kernels/convolution.hpp>
#include <autograd/kernels/plain.hpp>
#include <autograd/kernels/planes.hpp>

/// Convolutions from an instruction set's correlations: packs images and weights, and cuts the work into pieces.
namespace xgrad::kernels {
namespace {

/// Weights as correlations read them: for each group and pass (taps, rows), in panels if the correlations are wide.
/// Rows are outputs and taps (channel, tap); or, transposed, rows are channels and taps (output, tap).
template <class T>
void pack_weights(const Convolution& c, const Plan& plan, const Panels& panels, bool transposed, const T* w, T* to) {
  const Size outputs = c.group_outputs(), channels = c.group_channels(), taps = c.kernel_size();
  const Size depth = transposed ? outputs : channels;
  const Size of_row = transposed ? taps : channels * taps, of_depth = transposed ? channels * taps : taps;
  const auto copy = serial_table().copy[int(dtype_of<T>)];
  for (Size g = 0; g < c.groups; ++g, w += outputs * channels * taps)
    for (const Pass& pass : plan.passes)
      for (Size first = 0; first < panels.padded; first += panels.width) {
        const Size count = Size(pass.taps.size()), width = panels.width_at(first), rows = panels.rows_at(first);
        const T* const from = w + first * of_row;
        if (rows < width) std::fill_n(to, depth * count * width, T(0));
        if (count == taps) {  // all of them, in order
          Loop<2> loop{3, {depth, taps, rows}, {{taps * width, width, 1}, {of_depth, 1, of_row}}};
          loop.collapse();
          copy(from, to, loop);
        } else {
          for (Size k = 0; k < count; ++k) {
            Loop<2> loop{2, {depth, rows}, {{count * width, 1}, {of_depth, of_row}}};
            loop.collapse();
            copy(from + pass.taps[std::size_t(k)], to + k * width, loop);
          }
        }
        to += depth * count * width;
      }
}

/// One direction of a convolution: planes of `depth` channels in each group make `rows` results in each.
template <class T>
class Correlator {
 public:
  Correlator(const Convolution& c, bool transposed, const T* w, const T* bias)
      : c_(c),
        plan_(transposed ? transposed_plan_of(c) : plan_of(c)),
        out_(transposed ? c.in : c.out),
        depth_(transposed ? c.group_outputs() : c.group_channels()),
        rows_(transposed ? c.group_channels() : c.group_outputs()),
        wide_(wide_pays<T>(plan_, rows_)),
        panels_(wide_ ? Panels::of<T>(rows_) : Panels{rows_, rows_, rows_}),
        weights_(c.groups * panels_.padded * depth_ * c.kernel_size()),
        bias_(bias ? c.groups * panels_.padded : 0) {
    pack_weights(c, plan_, panels_, transposed, w, weights_.numbers);
    for (Size g = 0; bias && g < c.groups; ++g) {
      T* const to = bias_.numbers + g * panels_.padded;
      std::fill(std::copy_n(bias + g * rows_, rows_, to), to + panels_.padded, T(0));
    }
    for (const Pass& pass : plan_.passes) {
      for (Size i = 0; i < depth_; ++i)
        for (const Size offset : pass.offsets) offsets_.push_back(i * plan_.planes.channel() + offset);
      if (wide_) lines_.emplace_back(plan_.planes, pass);
      widest_ = std::max(widest_, wide_ ? lines_.back().positions() : plan_.planes.span(pass.count));
    }
  }

  void run(const T* from, T* to) const {
    // A unit is the results of a group from an image, or from several small ones, for which the weights are read once;
    // or of a block of its rows where there are few units: each piece packs the images that it needs.
    constexpr Size most_pieces = 64, few = 16, small = 2048, wide_images = 4, wide_units = 8;
    const Size wanted = std::min(pieces_of(c_, int(dtype_of<T>)), most_pieces);
    const Size images_wanted = std::max(divide_up(c_.images, few), wide_ ? wide_images : 1);
    const Size together = std::clamp<Size>(std::min(small / widest_, images_wanted), 1, c_.images);
    const Size bundles = divide_up(c_.images, together) * c_.groups;
    const Size few_units = std::min(wanted, wide_ ? wide_units : few);
    const Size blocks = std::clamp<Size>(few_units / bundles, 1, std::max<Size>(rows_ / 16, 1));
    const Size block = round_up(divide_up(rows_, blocks), wide_ ? panels_.width : 8),
               in_group = divide_up(rows_, block);
    const Size units = bundles * in_group, size = divide_up(units, std::clamp<Size>(wanted, 1, units));
    const Planes& planes = plan_.planes;
    const Size image = planes.stored[0] * planes.stored[1] * planes.stored[2], result = out_[0] * out_[1] * out_[2];
    run_pieces(divide_up(units, size), [&](Size piece) {
      const Size all_planes = together * depth_ * planes.channel() + slack;
      const Room<T> source(all_planes),
          results(together * (wide_ ? widest_ * panels_.width : block * (widest_ + slack)));
      std::fill_n(source.numbers, all_planes, T(0));
      Size packed = -1;
      for (Size u = piece * size, end = std::min(units, u + size); u < end; ++u) {
        const Size bundle = u / in_group, group = bundle % c_.groups, begin = bundle / c_.groups * together,
                   images = std::min(together, c_.images - begin);
        const Size first = u % in_group * block, rows = std::min(block, rows_ - first);
        for (Size i = 0; i < images && bundle != packed; ++i)
          to_planes(planes, from + ((begin + i) * c_.groups + group) * depth_ * image, depth_,
                    source.numbers + i * depth_ * planes.channel());
        packed = bundle;
        results_of(group, first, rows, images, source.numbers, results.numbers,
                   to + (begin * c_.groups + group) * rows_ * result);
      }
    });
  }

 private:
  /// Rows [first, first + rows) of a group from the planes of some images.
  void results_of(Size group, Size first, Size rows, Size images, const T* source, T* results, T* to) const {
    const T* const bias = bias_.numbers + group * panels_.padded;
    const T* w = weights_.numbers + group * panels_.padded * Size(offsets_.size());
    const Size* offsets = offsets_.data();
    const Size result = out_[0] * out_[1] * out_[2], to_image = c_.groups * rows_ * result,
               source_image = depth_ * plan_.planes.channel();
    for (std::size_t i = 0; i < plan_.passes.size(); ++i) {
      const Pass& pass = plan_.passes[i];
      const Size taps = depth_ * Size(pass.taps.size());
      if (wide_) {
        for (Size row = first; row < first + rows; row += panels_.width) {
          const Lines& lines = lines_[i];
          const WideCorrelation correlation{
              panels_.width_at(row),     taps,         images,      offsets, lines.starts.data(),
              Size(lines.starts.size()), lines.length, source_image};
          serial_table().correlate_wide[int(dtype_of<T>)](correlation, source + pass.base, w + row * taps,
                                                          bias_.bytes ? bias + row : nullptr, results);
          for (Size k = 0; k < images; ++k)
            from_columns(pass, results + k * lines.positions() * correlation.rows, panels_.rows_at(row),
                         correlation.rows, out_, to + k * to_image + row * result);
        }
      } else {
        const Size row = widest_ + slack;
        const Correlation correlation{
            rows, taps, plan_.planes.span(pass.count), images, offsets, rows_, row, rows * row, source_image};
        serial_table().correlate[int(dtype_of<T>)](correlation, source + pass.base, w + first,
                                                   bias_.bytes ? bias + first : nullptr, results);
        for (Size k = 0; k < images; ++k)
          from_rows(plan_.planes, pass, results + k * rows * row, rows, row, out_, to + k * to_image + first * result);
      }
      offsets += taps;
      w += taps * panels_.padded;
    }
  }

  const Convolution& c_;
  const Plan plan_;
  const Size* const out_;
  const Size depth_, rows_;
  const bool wide_;
  const Panels panels_;
  const Room<T> weights_, bias_;
  std::vector<Size> offsets_;
  std::vector<Lines> lines_;  // of each pass
  Size widest_ = 0;
};

template <class T>
void correlated(const Convolution& c, bool transposed, const void* from, const void* w, const void* bias_, void* to_) {
  const Size rows = transposed ? c.channels : c.outputs, size = transposed ? c.in_size() : c.out_size();
  const T* const bias = static_cast<const T*>(bias_);
  T* const to = static_cast<T*>(to_);
  if (c.images * rows * size == 0) return;
  if (c.channels * c.outputs * c.out_size() == 0) {  // nothing to sum
    for (Size i = 0; i < c.images * rows; ++i) std::fill_n(to + i * size, size, bias ? bias[i % rows] : T(0));
    return;
  }
  Correlator<T>(c, transposed, static_cast<const T*>(w), bias).run(static_cast<const T*>(from), to);
}

}  // namespace

void convolve(const Convolution& c, Dtype dtype, const void* x, const void* w, const void* bias, void* y) {
  (dtype == f32 ? correlated<float> : correlated<double>)(c, false, x, w, bias, y);
}

void convolve_transposed(const Convolution& c, Dtype dtype, const void* y, const void* w, const void* bias, void* x) {
  (dtype == f32 ? correlated<float> : correlated<double>)(c, true, y, w, bias, x);
}

}  // namespace xgrad::kernels
