#include <algorithm>
#include <autograd/kernels/blocks.hpp>
#include <autograd/kernels/convolution.hpp>
#include <autograd/kernels/plain.hpp>
#include <autograd/kernels/planes.hpp>

/// The derivative of convolutions by their weights, from an instruction set's sums of taps.
namespace xgrad::kernels {
namespace {

/// Some groups of a convolution, or some outputs of the only one, over some images.
template <class T>
struct WeightPiece {
  Convolution c;  // of these
  const T *x, *y;
  Size x_image, y_image;  // from one image to the next
};

/// The derivative by the weights in pieces, each with sums of its own.
template <class T>
class WeightSums {
 public:
  explicit WeightSums(const Convolution& c)
      : c_(c),
        plan_(plan_of(c)),
        lines_(plan_.planes, plan_.passes[0]),
        wide_(wide_pays<T>(plan_, c.group_outputs())),
        panels_(wide_ ? Panels::of<T>(c.group_outputs()) : panels_of(c.group_outputs())),
        taps_(c.group_channels() * c.kernel_size()) {
    for (Size i = 0; i < c.group_channels(); ++i)
      for (const Size offset : plan_.passes[0].offsets) offsets_.push_back(i * plan_.planes.channel() + offset);
  }

  void run(const T* x, const T* y, T* w) const {
    // Cut by images as long as the sums of all pieces stay small, then by groups, or by outputs of the only one.
    constexpr Size most_pieces = 16, most_sums = Size(1) << 19, most_across = 4, fewest_outputs = 24;
    const Size size = c_.groups * panels_.padded * taps_,
               wanted = std::min(pieces_of(c_, int(dtype_of<T>)), most_pieces);
    const Size most = std::min(c_.images, std::max<Size>(most_sums / size, 1));
    const Size images = divide_up(c_.images, std::clamp<Size>(wanted, 1, most)), along = divide_up(c_.images, images);
    const Size unit = c_.groups > 1 ? c_.group_outputs() : wide_ ? panels_.width : fewest_outputs;  // outputs
    const Size divisible = std::max<Size>(c_.outputs / unit, 1), most_parts = c_.groups > 1 ? wanted : most_across;
    const Size outputs =
                   divide_up(divisible, std::clamp<Size>(std::min(wanted / along, most_parts), 1, divisible)) * unit,
               across = divide_up(c_.outputs, outputs);
    const Room<double> sums(along * size);
    const auto block_of = [&](Size output) {
      return Block{output, std::min(outputs, c_.outputs - output), output / unit * panels_of(unit).padded * taps_};
    };
    run_pieces(along * across, [&](Size i) {
      const Size image = i / across * images;
      const Block block = block_of(i % across * outputs);
      WeightPiece<T> piece{c_, x + image * c_.channels * c_.in_size(),
                           y + (image * c_.outputs + block.output) * c_.out_size(), c_.channels * c_.in_size(),
                           c_.outputs * c_.out_size()};
      piece.c.images = std::min(images, c_.images - image);
      piece.c.outputs = block.outputs;
      if (c_.groups > 1) {
        piece.c.groups = block.outputs / unit;
        piece.c.channels = piece.c.groups * c_.group_channels();
        piece.x += block.output / unit * c_.group_channels() * c_.in_size();
      }
      add_up(piece, sums.numbers + i / across * size + block.at);
      if (along == 1) put(block, sums.numbers, 1, size, w);  // while they are near
    });
    for (Size i = 0; along > 1 && i < across; ++i) put(block_of(i * outputs), sums.numbers, along, size, w);
  }

 private:
  /// Some outputs, and where their sums begin.
  struct Block {
    Size output, outputs, at;
  };

  /// The totals of `along` sums, which are `size` apart, as weights.
  void put(const Block& block, const double* sums, Size along, Size size, T* w) const {
    const Size groups = c_.groups > 1 ? block.outputs / c_.group_outputs() : 1;
    const Panels panels = panels_of(block.outputs / groups);
    const Size count = groups * panels.padded * taps_;
    const Room<T> in_panels(wide_ ? count : 0);
    T* const totals = wide_ ? in_panels.numbers : w + block.output * taps_;
    for (Size k = 0; k < count; ++k) {
      double total = sums[block.at + k];
      for (Size i = 1; i < along; ++i) total += sums[i * size + block.at + k];
      totals[k] = T(total);
    }
    for (Size g = 0; wide_ && g < groups; ++g)
      for (Size first = 0; first < panels.rows; first += panels.width) {
        const Loop<2> transposed{2, {panels.rows_at(first), taps_}, {{taps_, 1}, {1, panels.width_at(first)}}};
        serial_table().copy[int(dtype_of<T>)](totals + (g * panels.padded + first) * taps_,
                                              w + (block.output + g * panels.rows + first) * taps_, transposed);
      }
  }

  /// Where sums lie: rows one after the other or, if correlations are wide, in panels (taps, rows).
  Panels panels_of(Size rows) const {
    if (!wide_) return {rows, rows, rows};
    return {rows, panels_.width, round_up(rows, 64 / Size(sizeof(T)))};
  }

  void add_up(const WeightPiece<T>& piece, double* sums) const {
    const Convolution& c = piece.c;
    const Planes& planes = plan_.planes;
    const Pass& pass = plan_.passes[0];
    const Panels panels = panels_of(c.group_outputs());
    const Size span = planes.span(pass.count), g_row = round_up(span, widest_batch), channel = planes.channel();
    const Size source = c.channels * channel, rows = c.outputs * g_row;
    // Several small images at a time, because sums are put together at their end, but so few that they stay near.
    const Size together = std::clamp<Size>(wide_ ? 512 / lines_.positions() : 2048 / span, 1, c.images);
    const Room<T> from_x(together * source + slack),
        from_y(together * (wide_ ? lines_.positions() * panels.width : rows));
    std::fill_n(from_x.numbers, together * source + slack, T(0));
    std::fill_n(from_y.numbers, from_y.bytes / sizeof(T), T(0));
    std::fill_n(sums, c.groups * panels.padded * taps_, 0.);
    for (Size first = 0; first < c.images; first += together) {
      const Size images = std::min(together, c.images - first);
      for (Size i = 0; i < images; ++i)
        to_planes(planes, piece.x + (first + i) * piece.x_image, c.channels, from_x.numbers + i * source);
      if (wide_) {
        add_up_panels(piece, panels, first, images, from_x.numbers, from_y.numbers, sums);
        continue;
      }
      for (Size i = 0; i < images; ++i)
        to_rows(planes, pass, piece.y + (first + i) * piece.y_image, c.outputs, g_row, from_y.numbers + i * rows);
      for (Size g = 0; g < c.groups; ++g) {
        const TapSums of{c.group_outputs(), taps_, span, images, offsets_.data(), g_row, rows, source};
        serial_table().tap_sums[int(dtype_of<T>)](of, from_x.numbers + g * c.group_channels() * channel,
                                                  from_y.numbers + g * c.group_outputs() * g_row,
                                                  sums + g * c.group_outputs() * taps_);
      }
    }
  }

  void add_up_panels(const WeightPiece<T>& piece, const Panels& panels, Size first, Size images, const T* x, T* y,
                     double* sums) const {
    const Convolution& c = piece.c;
    const Size channel = plan_.planes.channel();
    for (Size g = 0; g < c.groups; ++g)
      for (Size row = 0; row < panels.rows; row += panels.width) {
        const WideCorrelation of{panels.width_at(row),
                                 taps_,
                                 images,
                                 offsets_.data(),
                                 lines_.starts.data(),
                                 Size(lines_.starts.size()),
                                 lines_.length,
                                 c.channels * channel};
        for (Size i = 0; i < images; ++i)
          to_columns(plan_.passes[0], piece.y + (first + i) * piece.y_image + (g * panels.rows + row) * c_.out_size(),
                     panels.rows_at(row), of.rows, y + i * of.positions() * of.rows);
        serial_table().tap_sums_wide[int(dtype_of<T>)](of, x + g * c.group_channels() * channel, y,
                                                       sums + (g * panels.padded + row) * taps_);
      }
  }

  const Convolution& c_;
  const Plan plan_;
  const Lines lines_;
  const bool wide_;
  const Panels panels_;
  const Size taps_;
  std::vector<Size> offsets_;
};

template <class T>
void weights_from(const Convolution& c, const T* x, const T* y, T* w) {
  if (c.images * c.out_size() == 0) {
    std::fill_n(w, c.outputs * c.group_channels() * c.kernel_size(), T(0));
    return;
  }
  WeightSums<T>(c).run(x, y, w);
}

}  // namespace

void convolve_weights(const Convolution& c, Dtype dtype, const void* x, const void* y, void* w) {
  if (dtype == f32)
    weights_from(c, static_cast<const float*>(x), static_cast<const float*>(y), static_cast<float*>(w));
  else
    weights_from(c, static_cast<const double*>(x), static_cast<const double*>(y), static_cast<double*>(w));
}

}  // namespace xgrad::kernels
