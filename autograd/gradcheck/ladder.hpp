#pragma once
#include <autograd/gradcheck/gradchecker.hpp>
#include <functional>

/// Differences at ever smaller steps, from which derivatives are judged.
namespace xgrad::checking {

/// A line through x: what moves along it, and how far it may.
struct Line {
  const Rows& rows;
  const Numbers& at;                             // the outputs at x
  std::function<double(double, Numbers&)> move;  // the outputs a step from x; returns the step that was really taken
  double size;                                   // of x, at least 1: steps are relative to it
  double near;                                   // the step that is small beside x itself: coarser ones prove nothing
  double finest;                                 // step
  std::size_t patience;                          // levels to look at before anything is called wrong
};

/// Differences of each row at steps h, h/8, h/64, ..., and at 8 h, 64 h, ... where h is too small to see f move.
///
/// A level tells something if its five points lie on a smooth curve, and as much as its error allows: what the steps h
/// and h/2 disagree by, and the rounding of f over h. One level that agrees with the rule is enough to pass. To fail,
/// the level with the least error must differ by more than that, another one must support it, and no finer one that can
/// see the gap may contradict it. All else is unreliable. (A simple form of what Ridders 1982 does for the step, and
/// Moré and Wild 2011 for the noise.)
class Ladder {
 public:
  Ladder(const Line& line, const std::vector<Claim>& claims, const Tolerance& tolerance)
      : line_(line), claims_(claims), tolerance_(tolerance), rows_(claims.size()) {}

  /// One verdict for each row. `rounding` is asked for rows that do not pass at once.
  std::vector<Difference> judge(const std::function<Rounding(std::size_t row)>& rounding = nullptr);
  /// Of every output, at the level that a row's verdict rests on.
  const Numbers& slopes(std::size_t row) const { return slopes_[rows_[row].basis]; }

 private:
  struct Row {
    std::vector<Level> levels;       // finest last
    std::vector<std::size_t> taken;  // for each level, its place in slopes_
    Rounding rounding;
    Difference decided;
    std::size_t basis = 0;
    bool settled = false;
  };
  void take(double h, bool finer);
  void decide(std::size_t r);
  static bool is_wrong(const Row& row, const Level& best, bool moves);
  bool is_kink(const Row& row, const Level*& kink) const;
  bool wants_finer(std::size_t r);
  bool wants_wider(std::size_t r);

  const Line& line_;
  const std::vector<Claim>& claims_;
  const Tolerance tolerance_;
  std::vector<Row> rows_;
  std::vector<Numbers> slopes_;
};

}  // namespace xgrad::checking
