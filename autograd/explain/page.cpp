// Writes the page of an explanation.
#include <algorithm>
#include <autograd/explain/formulas.hpp>
#include <autograd/explain/page.hpp>
#include <autograd/explain/runs.hpp>
#include <autograd/support/embedded.hpp>
#include <autograd/support/index.hpp>
#include <autograd/support/markup.hpp>
#include <cmath>
#include <cstdlib>

namespace xgrad::detail {
namespace {

constexpr std::size_t most_steps = 40;  // of a path; the middle of a longer one is one step

std::string true_minus(std::string digits) {
  for (std::size_t i = digits.find('-'); i != std::string::npos; i = digits.find('-', i)) digits.replace(i, 1, "−");
  return digits;
}

/// All digits that a number has; those after the sixth can be hidden.
std::string number(double v, const char* kind) {
  const std::string digits = text(v);
  const std::size_t e = std::min(digits.find('e'), digits.size());
  std::size_t head = 0;
  for (int significant = 0; head < e && significant < 6; ++head)
    significant += digits[head] >= '1' || (digits[head] == '0' && significant > 0);
  if (e - head <= 1 || !std::isfinite(v)) head = e;
  std::string html = text("<data class='", kind, "' value='", digits, "'>", true_minus(digits.substr(0, head)));
  if (head < e) html += text("<span class='tail'>", digits.substr(head, e - head), "</span><span class='more'></span>");
  if (e < digits.size()) {
    const std::size_t plus = digits[e + 1] == '+' ? e + 2 : e + 1;
    html += text(" · 10<sup>", true_minus(digits.substr(plus)), "</sup>");
  }
  return html + "</data>";
}

/// About how much, in words of the page.
std::string roughly(double v) {
  const std::string digits = brief(v, 2);
  const std::size_t e = digits.find('e');
  if (e == std::string::npos) return digits;
  return text(digits.substr(0, e), " · 10<sup>", true_minus(std::to_string(std::atoi(digits.c_str() + e + 1))),
              "</sup>");
}

std::string count_of(double n, const char* thing) {
  const bool exact = n < 1e15;
  return text(exact ? fixed(n, 0) : "about " + brief(n, 3), " ", thing, n == 1 ? "" : "s");
}

/// What surrounds an attribute's value: an SVG as the address of a picture.
std::string address_of(std::string_view svg) {
  std::string out = "data:image/svg+xml,";
  for (const char c : svg) {
    if (std::isalnum(static_cast<unsigned char>(c)) ||
        std::string_view(" -_.~:/=;,(){}*+@!$").find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto u = static_cast<unsigned char>(c);
      out += {'%', "0123456789ABCDEF"[u / 16], "0123456789ABCDEF"[u % 16]};
    }
  }
  return out;
}

class Page {
 public:
  explicit Page(const Explanation& told) : x_(told), g_(told.graph) { name_nodes(); }

  std::string html() {
    beginning();
    if (!x_.paths.empty()) walk();
    ending();
    const std::string body =
        text("<main>\n", out_,
             "</main>\n<nav id='walk'><button id='back'>back</button><span id='at'></span><button id='next'>next"
             "</button><button id='all'>show all</button></nav>\n");
    return html_page("How backpropagation works: " + x_.name, embedded::explain_page_css, body,
                     embedded::explain_page_js);
  }

 private:
  template <class... Parts>
  void put(const Parts&... parts) {
    out_ += text(parts...);
  }

  /// "tanh", or "dense 2" if there are several; the oldest is the first.
  void name_nodes() {
    std::unordered_map<std::string, int> total, seen;
    for (const ScalarNode& n : g_.nodes) ++total[n.node->name];
    names_.resize(g_.nodes.size());
    for (std::size_t i = g_.nodes.size(); i-- > 0;) {
      const std::string name = g_.nodes[i].node->name;
      names_[i] = escaped(name);
      if (total[name] > 1) names_[i] += text("<sub>", ++seen[name], "</sub>");
    }
    if (!names_.empty()) names_.back() = escaped(x_.name);
  }

  std::string position(const Shape& shape, std::int64_t element) const {
    if (shape.ndim() == 0) return "";
    const Shape strides = broadcast_strides(shape, shape);
    std::string all;
    for (int d = 0; d < shape.ndim(); ++d)
      all += text(d == 0 ? "[" : ", ", shape[d] == 1 ? 0 : element / strides[d] % shape[d]);
    return all + "]";
  }
  std::string name_of(int scalar) const {
    const Scalar& s = g_.scalars[at(scalar)];
    if (scalar == 0) return "the loss";
    return names_[at(s.node)] + position(g_.nodes[at(s.node)].node->shape(), s.element);
  }
  /// " = 0.5", if known.
  std::string value_of(int scalar) const {
    const Scalar& s = g_.scalars[at(scalar)];
    if (scalar == g_.parameter) return " = " + number(number_at(x_.parameter, s.element), "value");
    const int op = g_.nodes[at(s.node)].op;
    return op < 0 ? "" : " = " + number(number_at(x_.ops[at(op)]->output, s.element), "value");
  }

  bool agree(double analytic, double numeric) const {
    const bool single = x_.parameter.dtype() == f32;
    return std::fabs(analytic - numeric) <=
           (single ? 1e-3 : 1e-8) + (single ? 2e-2 : 1e-5) * std::max(std::fabs(analytic), std::fabs(numeric));
  }
  std::string verdict(double analytic, double numeric) const {
    if (agree(analytic, numeric)) return " ✓";
    return " ≠, which happens at a kink (such as relu at 0) and where rounding drowns the difference";
  }

  void beginning() {
    const std::string what = name_of_parameter();
    put("<h1>How backpropagation works, in your own network</h1>\n<p class='lead'>Your network worked out one number, "
        "the <b>loss</b> = ",
        number(x_.loss, "loss"), ". This page follows one number inside of it, <b>", what,
        "</b> = ", number(number_at(x_.parameter, x_.element), "value"),
        ", and answers one question: <b>if that number grew a tiny bit, how much would the loss move?</b></p>\n"
        "<p class='lead'>The answer is called the <b>gradient</b>: ",
        number(x_.gradient, "gradient"), ". The loss moves ", number(std::fabs(x_.gradient), "value"),
        " times as far as the parameter", x_.gradient < 0 ? ", in the opposite direction" : "",
        x_.gradient == 0  ? "; at this point it does not move at all"
        : x_.gradient < 0 ? ": to make the loss smaller, make the parameter a little larger"
                          : ": to make the loss smaller, make the parameter a little smaller",
        ". Training does just that, for all parameters at once, again and again.</p>\n");
    put("<h2>The chain rule</h2>\n<p>A network is a chain of small steps, called ops. For each op, school mathematics "
        "knows how fast its output <i>y</i> moves when one input <i>x</i> moves: the <b class='local'>local derivative"
        "</b> dy/dx. If <i>y</i> moves 3 times as fast as <i>x</i>, and <i>z</i> moves 2 times as fast as <i>y</i>, "
        "then <i>z</i> moves 2 · 3 = 6 times as fast as <i>x</i>.</p>\n<p><b>Along a path, speeds multiply. Where "
        "several paths lead to the same place, their effects add.</b> That is all:</p>\n<p class='rule'>d loss / d "
        "parameter = <b>Σ</b> over all paths of the <b>product</b> of the local derivatives along it</p>\n"
        "<p>Backpropagation works this sum out from the loss backwards. It starts with 1 (the loss moves as fast as "
        "itself), and at each op it multiplies what has come down so far by one local derivative:</p>\n<ul class='key'>"
        "<li><b class='up'>upstream</b>: how fast the loss moves with the op's output</li><li><b class='local'>local"
        "</b>: how fast the output moves with this input</li><li><b class='down'>downstream</b> = <span class='up'>"
        "upstream</span> × <span class='local'>local</span>: how fast the loss moves with the input, along this path"
        "</li></ul>\n");
    put("<p><label><input type='checkbox' id='digits'/> Show all digits of all numbers, to multiply them yourself."
        "</label></p>\n");
    if (x_.parameter.dtype() == f32)
      put("<p class='pale'>This network computes in f32, with about 7 digits, so its local derivatives are known to "
          "about 7 digits, and measurements to about 3. What is multiplied and added here is so in f64.</p>\n");
    if (!x_.picture.empty())
      put("<details><summary>The whole computation as a picture</summary><img alt='The graph of the loss' src='",
          address_of(x_.picture), "'/></details>\n");
  }

  std::string name_of_parameter() const { return escaped(x_.name) + position(x_.parameter.shape(), x_.element); }

  void walk() {
    const double all = g_.scalars[0].paths;
    const auto shown = static_cast<double>(x_.paths.size());
    put("<h2>From the loss back to ", name_of_parameter(), "</h2>\n<p>",
        all == 1 ? "One path leads" : count_of(all, "path") + " lead", " from the loss back to it.",
        shown < all ? text(" Here are the ", fixed(shown, 0),
                           " with the largest effect; what all others add up to stands at the end.")
                    : "",
        "</p>\n");
    for (std::size_t p = 0; p < x_.paths.size(); ++p) path(p);
  }

  void path(std::size_t p) {
    const std::vector<int>& arcs = x_.paths[p].arcs;
    put("<section class='path' id='path-", p + 1, "'>\n<h3>Path ", p + 1, "</h3>\n<ol class='route'><li>loss</li>");
    const std::size_t head = arcs.size() > most_steps ? most_steps / 2 : arcs.size();
    const std::size_t tail = arcs.size() > most_steps ? arcs.size() - most_steps / 2 : arcs.size();
    for (std::size_t k = 0; k < arcs.size(); ++k) {
      if (k == head && tail > head) {
        put("<li class='by'>…</li>");
        k = tail;
      }
      const Arc& arc = g_.arcs[at(arcs[k])];
      put("<li class='by'>← × <span class='local'>", brief(arc.local, 3), "</span></li><li data-step='", k, "'>",
          name_of(arc.input), "</li>");
    }
    put("</ol>\n");
    double upstream = 1;
    for (std::size_t k = 0; k < arcs.size(); ++k) {
      const std::string where = text("path ", p + 1, " of ", x_.paths.size(), ", step ", k + 1, " of ", arcs.size());
      put("<article class='step' data-step='", k, "' data-at='", where, "'>\n");
      if (k == head && tail > head) {
        double local = 1;
        for (; k < tail; ++k) local *= g_.arcs[at(arcs[k])].local;
        --k;
        put("<h4>", tail - head, " steps more</h4>\n<p>Their local derivatives multiply to one number.</p>\n");
        equation(upstream, local);
        upstream *= local;
      } else {
        step(arcs[k], upstream);
        upstream *= g_.arcs[at(arcs[k])].local;
      }
      if (k + 1 == arcs.size())
        put("<p>The parameter is reached: along this path, the loss moves <b class='down'>",
            number(upstream, "product"), "</b> times as far as ", name_of_parameter(), ".</p>\n");
      put("</article>\n");
    }
    put("</section>\n");
  }

  void equation(double upstream, double local) {
    put("<ul class='eq'><li class='number up'>", number(upstream, "upstream"),
        "<small>upstream</small></li><li class='sign'>×</li><li class='number local'>", number(local, "locally"),
        "<small>local</small></li><li class='sign'>=</li><li class='number down'>",
        number(upstream * local, "downstream"), "<small>downstream</small></li></ul>\n");
  }

  void step(int index, double upstream) {
    const Arc& arc = g_.arcs[at(index)];
    const ScalarNode& node = g_.nodes[at(g_.scalars[at(arc.output)].node)];
    const OpFormula* const formula = formula_of(node.node->name);
    const char* const given =
        formula && arc.argument < std::ssize(formula->inputs) ? formula->inputs[arc.argument] : nullptr;
    const std::string x = given ? given : arc.argument == 0 ? "x" : text("x<sub>", arc.argument + 1, "</sub>");
    const char* const rule =
        formula && arc.argument < std::ssize(formula->derivatives) ? formula->derivatives[arc.argument] : nullptr;
    const Place place = node.op >= 0 ? x_.ops[at(node.op)]->place : node.node->place();
    const std::string module = node.op >= 0 ? x_.ops[at(node.op)]->path : "";
    std::string where = escaped(module);
    if (place.file) {
      const std::string_view file = place.file;
      where += text(where.empty() ? "" : ", ", escaped(file.substr(file.rfind('/') + 1)), ":", place.line);
    }
    put("<span class='where'>", where, "</span><h4>", names_[at(g_.scalars[at(arc.output)].node)],
        "</h4>\n<p class='formula'>",
        formula ? formula->value : text("y = ", escaped(node.node->name), "(", x, arc.argument > 0 ? ", …" : "", ")"),
        "</p>\n");
    put("<p>Here y is ", name_of(arc.output), value_of(arc.output), ", and ", x, " is ", name_of(arc.input),
        value_of(arc.input), ".</p>\n<p>How fast does y move with ", x, "? dy/d", x, " = ",
        rule ? rule : "what the op's own rule says", " = <b class='local'>", number(arc.local, "value"), "</b></p>\n");
    if (arc.output == 0) put("<p>Upstream is 1 here: the loss moves exactly as fast as itself.</p>\n");
    equation(upstream, arc.local);
    measured_step(index);
    meeting(arc.input);
  }

  void measured_step(int index) {
    const auto it = x_.measured_arcs.find(index);
    if (it == x_.measured_arcs.end() || std::isnan(it->second)) return;
    const Arc& arc = g_.arcs[at(index)];
    double together = 0;
    int times = 0;
    for (const int a : g_.scalars[at(arc.output)].arcs) {
      if (g_.arcs[at(a)].input != arc.input) continue;
      together += g_.arcs[at(a)].local;
      ++times;
    }
    put("<p class='measured'>Measured, by making the input a little larger and a little smaller and running the op: ");
    if (times > 1)
      put("this op takes the number in ", times, " places, which together move y ", number(together, "value"),
          " times as fast; ");
    put("y moved ", brief(it->second, 7), " times as far", verdict(together, it->second), "</p>\n");
  }

  /// What arrives at a number from several sides.
  void meeting(int scalar) {
    const Scalar& s = g_.scalars[at(scalar)];
    if (s.consumers < 2) return;
    std::vector<double> parts;
    for (const Arc& a : g_.arcs)
      if (a.input == scalar) parts.push_back(g_.scalars[at(a.output)].gradient * a.local);
    std::stable_sort(parts.begin(), parts.end(), [](double a, double b) { return std::fabs(a) > std::fabs(b); });
    put("<p class='meet'><b>Paths meet here.</b> ", name_of(scalar), " is used in ", s.consumers,
        " places, and backpropagation adds what comes down from them before it goes on: ");
    const std::size_t shown = parts.size() <= 4 ? parts.size() : 3;
    double rest = s.gradient;
    for (std::size_t i = 0; i < shown; ++i) {
      put(i == 0 ? "" : " + ", parts[i] < 0 && i > 0 ? "(" : "", number(parts[i], "part"),
          parts[i] < 0 && i > 0 ? ")" : "");
      rest -= parts[i];
    }
    if (shown < parts.size()) put(" + ", number(rest, "part"), " from ", parts.size() - shown, " more");
    put(" = <b>", number(s.gradient, "met"), "</b>.");
    if (const auto it = x_.measured_scalars.find(scalar); it != x_.measured_scalars.end() && !std::isnan(it->second))
      put(" <span class='pale'>Measured, by changing this number and running the rest of the network: ",
          brief(it->second, 7), verdict(s.gradient, it->second), "</span>");
    put("</p>\n");
  }

  void ending() {
    put("<h2>The sum over all paths</h2>\n<table>\n");
    double rest = x_.gradient;
    for (std::size_t p = 0; p < x_.paths.size(); ++p) {
      std::string way = "loss";
      const std::vector<int>& arcs = x_.paths[p].arcs;
      for (std::size_t k = 0; k < arcs.size(); ++k) {
        if (arcs.size() > 12 && k == 5) {
          way += " ← …";
          k = arcs.size() - 5;
        }
        way += " ← " + name_of(g_.arcs[at(arcs[k])].input);
      }
      put("<tr><td>Path ", p + 1, "</td><td>", way, "</td><td>", number(x_.paths[p].product, "share"), "</td></tr>\n");
      rest -= x_.paths[p].product;
    }
    const double others = g_.scalars.empty() ? 0 : g_.scalars[0].paths - static_cast<double>(x_.paths.size());
    if (others > 0 || rest != 0)
      put("<tr><td></td><td>", others > 0 ? text("All ", count_of(others, "other path"), " together") : "Rounding",
          "</td><td>", number(rest, "rest"), "</td></tr>\n");
    put("<tr class='total'><td></td><td>The gradient: what <code>.grad()</code> holds after "
        "<code>backward()</code></td><td>",
        number(x_.gradient, "sum"), "</td></tr>\n</table>\n");
    put("<p>Backpropagation never lists the paths. It visits each op once, from the loss backwards, and adds up at "
        "each "
        "number what comes down from all sides before it goes on. So it costs about as much as running the network "
        "twice more, however many paths there are, and it gives the gradients of all parameters at once.</p>\n");
    put("<h2>Is it true?</h2>\n<p>Whoever does not trust the mathematics can measure: make ", name_of_parameter(),
        " larger by ", roughly(x_.step),
        ", run the network, make it smaller by as much, run it again, and divide how far the loss moved "
        "by how far the parameter did.</p>\n<table>\n<tr><td>Backpropagation</td><td>",
        number(x_.gradient, "value"), "</td></tr>\n<tr><td>Measured</td><td>", number(x_.measured, "measured"),
        verdict(x_.gradient, x_.measured), "</td></tr>\n</table>\n");
    put("<p>Measuring takes two runs for each parameter, and rounding limits its digits. Backpropagation takes one "
        "pass for all of them, and is exact.</p>\n");
  }

  const Explanation& x_;
  const ScalarGraph& g_;
  std::vector<std::string> names_;  // of the nodes, as HTML
  std::string out_;
};

}  // namespace

std::string page_of(const Explanation& explanation) { return Page(explanation).html(); }

}  // namespace xgrad::detail
