#pragma once
#include <autograd/gradcheck/program.hpp>

/// Finds out which op makes a check fail.
namespace xgrad::checking {

template <class T>
decltype(auto) at(T&& range, std::int64_t i) {
  return std::forward<T>(range)[static_cast<std::size_t>(i)];
}

/// Finds the ops of one program whose own derivative is wrong: first all ops at once along random directions, then
/// those that do not pass, one input after another, element by element or by halving.
class Locator {
 public:
  /// Ops before `first` are known from a lower order.
  Locator(Gradchecker& checker, int order, std::size_t first);
  /// Fills `wrong` and `cut`; returns how many ops there are. If the check has failed, something must be wrong: then it
  /// looks closer.
  std::size_t run(bool failed);

  std::vector<GradcheckCulprit> wrong;  // ops that are wrong by themselves
  std::vector<GradcheckCulprit> cut;    // those that are right, but are given numbers without their history

 private:
  using Op = Program::Op;
  /// What the rules of an op gave for one cotangent, and whether they are linear functions of it.
  struct Asked {
    Numbers cotangent;
    std::vector<Numbers> gradients;  // for each edge
    int wrong_edge = -1;
    std::string pattern, hint;
    std::int64_t element = 0;
  };
  /// The numbers that one or several inputs of an op are, and the edges that lead there.
  struct Target {
    int op, slot;
    std::vector<std::uint32_t> edges;
    int argument;            // the first; -1: the op is not given them
    bool connected = false;  // whether some input has their history
    int cut = -1;            // an input that does not
  };
  /// What is compared: random sums of the op's outputs, then, if they are few, every output by itself.
  struct Compared {
    Rows rows;
    std::vector<Numbers> analytic;  // for each row, by all elements of the target
    std::vector<Numbers> rounding;  // of these; empty: not known yet
  };
  /// What moving one element of a target did.
  struct Column {
    std::int64_t element;
    Numbers slopes, errors;  // of every output; of every row
    bool reliable = false, failed = false;
    Difference worst;  // the row that fails most
    double analytic = 0;
    std::int64_t output = -1;  // of that row, if it is one output
    int number_moved = -1;     // an input that is a plain number, and changed
  };

  Numbers random(std::size_t n);
  const Program::Slot& slot(int i) const { return at(program_.slots(), i); }
  const Edge& edge(const Target& target, std::size_t i) const {
    return program_.op(target.op).node->edges()[target.edges[i]];
  }

  // rules.cpp: what must hold of rules whatever the derivative is.
  void ask_rules(int i);
  void ask_again();
  void ask_forward();
  void blame_rule(int i);
  void blame_return(const Program::Cut& c);

  void screen();

  // examine.cpp: one op, one input, one element.
  void examine(int i);
  void examine(const Target& target);
  std::int64_t halve(const Target& target, Compared& compared);
  Verdict judge(const Target& target, Compared& compared, const Numbers& along, std::int64_t begin, std::int64_t end);
  Numbers direction(const Target& target);
  /// Whether an op rounds what this slot moves to f32.
  bool is_single(int from, int op) const;
  Tolerance tolerance_of(const Target& target) const;
  /// How far rounding inside the op moves a row's output, and its vjp.
  double rounding_of(const Target& target, const Compared& compared, std::size_t row);
  const Numbers& rounding_of_vjp(const Target& target, Compared& compared, std::size_t row) const;
  Column column(const Target& target, Compared& compared, std::int64_t element);
  std::vector<std::int64_t> sample(const Target& target, std::int64_t found, std::size_t most);
  void find_output(const Target& target, Column& c);
  Program::Run move(int from, std::int64_t begin, std::int64_t end, const Numbers& by, double factor);
  Numbers vjp(const Target& target, const Numbers& v) const;

  // blame.cpp: what is said of it.
  GradcheckCulprit culprit(int i, int input) const;
  void set_input(GradcheckCulprit& c, int input) const;
  void blame(const Target& target, const Compared& compared, const std::vector<Column>& columns, const Column& worst,
             bool alone);
  bool blame_cut(const Target& target, const Column& worst, const GradcheckCulprit& found);
  bool name_edge(const Target& target, std::size_t e, const Compared& compared, const std::vector<Column>& columns,
                 const Column& worst, bool alone, GradcheckCulprit& found) const;
  bool harmless(int rule_of, int from);
  void add_cut(GradcheckCulprit found, int rule_of, int input);

  Gradchecker& checker_;
  Program program_;
  const int order_;
  const std::size_t first_;
  Gaussian draw_;
  Tolerance tolerance_;
  std::vector<Asked> asked_;
  std::vector<bool> suspect_;
  std::vector<Numbers> rounding_;  // of each op's result; empty: not known yet
};

}  // namespace xgrad::checking
