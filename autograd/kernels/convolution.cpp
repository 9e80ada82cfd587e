#include <algorithm>
#include <autograd/kernels/blocks.hpp>
#include <autograd/kernels/convolution.hpp>
#include <autograd/kernels/plain.hpp>
#include <autograd/kernels/planes.hpp>

/// Convolutions from an instruction set's correlations: packs images and weights, and cuts the work into pieces.
namespace xgrad::kernels {
namespace {

template <class T>
constexpr int index_of = int(dtype_of<T>);

/// How many pieces the work is worth.
template <class T>
Size pieces_wanted(const Convolution& c) {
  const Size each = c.group_channels() * c.kernel_size() * c.out_size();
  return c.images * c.outputs * each / multiplications(index_of<T>);
}

/// Weights as correlations read them: for each group and pass (taps, rows). Rows are outputs and taps (channel, tap);
/// or, transposed, rows are channels and taps (output, tap).
template <class T>
void pack_weights(const Convolution& c, const Plan& plan, bool transposed, const T* w, T* to) {
  const Size outputs = c.group_outputs(), channels = c.group_channels(), taps = c.kernel_size();
  const Size rows = transposed ? channels : outputs, depth = transposed ? outputs : channels;
  const Size of_row = transposed ? taps : channels * taps, of_depth = transposed ? channels * taps : taps;
  const auto copy = serial_table().copy[index_of<T>];
  for (Size g = 0; g < c.groups; ++g, w += outputs * channels * taps)
    for (const Pass& pass : plan.passes) {
      const Size count = Size(pass.taps.size());
      if (count == taps) {  // all of them, in order
        Loop<2> loop{3, {depth, taps, rows}, {{taps * rows, rows, 1}, {of_depth, 1, of_row}}};
        loop.collapse();
        copy(w, to, loop);
      } else {
        for (Size k = 0; k < count; ++k) {
          Loop<2> loop{2, {depth, rows}, {{count * rows, 1}, {of_depth, of_row}}};
          loop.collapse();
          copy(w + pass.taps[std::size_t(k)], to + k * rows, loop);
        }
      }
      to += depth * count * rows;
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
        bias_(bias),
        weights_(c.outputs * c.group_channels() * c.kernel_size()) {
    pack_weights(c, plan_, transposed, w, weights_.numbers);
    for (const Pass& pass : plan_.passes) {
      for (Size i = 0; i < depth_; ++i)
        for (const Size offset : pass.offsets) offsets_.push_back(i * plan_.planes.channel() + offset);
      widest_ = std::max(widest_, plan_.planes.span(pass.count));
    }
  }

  void run(const T* from, T* to) const {
    // A unit is the results of a group from an image, or from several small ones, for which the weights are read once;
    // or of a block of its rows where there are few units: each piece packs the images that it needs.
    constexpr Size most_pieces = 64, few = 16, small = 2048;
    const Size wanted = std::min(pieces_wanted<T>(c_), most_pieces);
    const Size together = std::clamp<Size>(std::min(small / widest_, divide_up(c_.images, few)), 1, c_.images);
    const Size bundles = divide_up(c_.images, together) * c_.groups;
    const Size blocks = std::clamp<Size>(std::min(wanted, few) / bundles, 1, std::max<Size>(rows_ / 16, 1));
    const Size block = round_up(divide_up(rows_, blocks), 8), in_group = divide_up(rows_, block);
    const Size units = bundles * in_group, size = divide_up(units, std::clamp<Size>(wanted, 1, units));
    const Planes& planes = plan_.planes;
    const Size image = planes.stored[0] * planes.stored[1] * planes.stored[2], result = out_[0] * out_[1] * out_[2];
    run_pieces(divide_up(units, size), [&](Size piece) {
      const Size all_planes = together * depth_ * planes.channel() + slack;
      const Room<T> source(all_planes), results(together * block * (widest_ + slack));
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
                   to + ((begin * c_.groups + group) * rows_ + first) * result);
      }
    });
  }

 private:
  /// Rows [first, first + rows) of a group from the planes of some images.
  void results_of(Size group, Size first, Size rows, Size images, const T* source, T* results, T* to) const {
    const T* bias = bias_ ? bias_ + group * rows_ + first : nullptr;
    const T* w = weights_.numbers + group * Size(offsets_.size()) * rows_ + first;
    const Size* offsets = offsets_.data();
    const Size row = widest_ + slack, to_image = c_.groups * rows_ * out_[0] * out_[1] * out_[2];
    for (const Pass& pass : plan_.passes) {
      const Size taps = depth_ * Size(pass.taps.size());
      const Correlation correlation{rows, taps,       plan_.planes.span(pass.count),  images, offsets, rows_,
                                    row,  rows * row, depth_ * plan_.planes.channel()};
      serial_table().correlate[index_of<T>](correlation, source + pass.base, w, bias, results);
      for (Size i = 0; i < images; ++i)
        from_rows(plan_.planes, pass, results + i * rows * row, rows, row, out_, to + i * to_image);
      offsets += taps;
      w += taps * rows_;
    }
  }

  const Convolution& c_;
  const Plan plan_;
  const Size* const out_;
  const Size depth_, rows_;
  const T* const bias_;
  const Room<T> weights_;
  std::vector<Size> offsets_;
  Size widest_ = 0;
};

/// The derivative by the weights of some groups, or of some outputs of the only one, over some images.
template <class T>
struct WeightPiece {
  Convolution c;  // of these
  const T *x, *y;
  Size x_image, y_image;  // from one image to the next
};

template <class T>
void sum_taps(const WeightPiece<T>& piece, const Plan& plan, const std::vector<Size>& offsets, double* sums) {
  const Convolution& c = piece.c;
  const Pass& pass = plan.passes[0];
  const Size span = plan.planes.span(pass.count), g_row = round_up(span, widest_batch), taps = Size(offsets.size());
  const Size source = c.channels * plan.planes.channel(), rows = c.outputs * g_row;
  // Several small images at a time, because lanes are summed at their end, but so few that they stay in the caches.
  const Size together = std::clamp<Size>(2048 / span, 1, c.images);
  const Room<T> planes(together * source + slack), of_y(together * rows);
  std::fill_n(planes.numbers, together * source + slack, T(0));
  std::fill_n(of_y.numbers, together * rows, T(0));
  std::fill_n(sums, c.outputs * taps, 0.);
  for (Size first = 0; first < c.images; first += together) {
    const Size images = std::min(together, c.images - first);
    for (Size i = 0; i < images; ++i) {
      to_planes(plan.planes, piece.x + (first + i) * piece.x_image, c.channels, planes.numbers + i * source);
      to_rows(plan.planes, pass, piece.y + (first + i) * piece.y_image, c.outputs, g_row, of_y.numbers + i * rows);
    }
    for (Size g = 0; g < c.groups; ++g) {
      const TapSums of{c.group_outputs(), taps, span, images, offsets.data(), g_row, rows, source};
      serial_table().tap_sums[index_of<T>](of, planes.numbers + g * c.group_channels() * plan.planes.channel(),
                                           of_y.numbers + g * c.group_outputs() * g_row,
                                           sums + g * c.group_outputs() * taps);
    }
  }
}

template <class T>
void weights_from(const Convolution& c, const T* x, const T* y, T* w) {
  const Size of_output = c.group_channels() * c.kernel_size(), size = c.outputs * of_output;
  if (c.images * c.out_size() == 0) {
    std::fill_n(w, size, T(0));
    return;
  }
  const Plan plan = plan_of(c);
  std::vector<Size> offsets;
  for (Size i = 0; i < c.group_channels(); ++i)
    for (const Size offset : plan.passes[0].offsets) offsets.push_back(i * plan.planes.channel() + offset);
  // Cut by images as long as the sums of all pieces stay small, then by groups, or by outputs of the only one.
  constexpr Size most_pieces = 16, most_sums = Size(1) << 19, fewest_outputs = 24;
  const Size wanted = std::min(pieces_wanted<T>(c), most_pieces);
  const Size most = std::min(c.images, std::max<Size>(most_sums / size, 1));
  const Size images = divide_up(c.images, std::clamp<Size>(wanted, 1, most)), along = divide_up(c.images, images);
  const Size divisible = c.groups > 1 ? c.groups : std::max<Size>(c.outputs / fewest_outputs, 1);
  const Size unit = c.groups > 1 ? c.group_outputs() : fewest_outputs;  // outputs
  const Size outputs = divide_up(divisible, std::clamp<Size>(wanted / along, 1, divisible)) * unit,
             across = divide_up(c.outputs, outputs);
  const Room<double> sums(along * size);
  run_pieces(along * across, [&](Size i) {
    const Size image = i / across * images, output = i % across * outputs;
    WeightPiece<T> piece{c, x + image * c.channels * c.in_size(), y + (image * c.outputs + output) * c.out_size(),
                         c.channels * c.in_size(), c.outputs * c.out_size()};
    piece.c.images = std::min(images, c.images - image);
    piece.c.outputs = std::min(outputs, c.outputs - output);
    if (c.groups > 1) {
      piece.c.groups = piece.c.outputs / unit;
      piece.c.channels = piece.c.groups * c.group_channels();
      piece.x += output / unit * c.group_channels() * c.in_size();
    }
    sum_taps(piece, plan, offsets, sums.numbers + i / across * size + output * of_output);
  });
  for (Size k = 0; k < size; ++k) {
    double total = 0;
    for (Size i = 0; i < along; ++i) total += sums.numbers[i * size + k];
    w[k] = T(total);
  }
}

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

void convolve_weights(const Convolution& c, Dtype dtype, const void* x, const void* y, void* w) {
  if (dtype == f32)
    weights_from(c, static_cast<const float*>(x), static_cast<const float*>(y), static_cast<float*>(w));
  else
    weights_from(c, static_cast<const double*>(x), static_cast<const double*>(y), static_cast<double*>(w));
}

}  // namespace xgrad::kernels
