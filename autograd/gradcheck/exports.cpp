// Writes a report as CSV and JSON.
#include <autograd/gradcheck/report.hpp>
#include <autograd/support/json.hpp>

namespace xgrad {

using namespace checking;

std::string GradcheckReport::to_csv() const {
  const auto quoted = [](const std::string& s) {
    std::string q = "\"";
    for (const char c : s) q += c == '"' ? std::string("\"\"") : std::string(1, c);
    return q + '"';
  };
  std::string s = "verdict,order,by,output,analytic,numeric,error,left,right,badness\n";
  for (const GradcheckEntry& e : entries_)
    s += text(name_of(e.verdict), ",", e.order, ",", quoted(label(e)), ",", output_name(e), ",", e.analytic, ",",
              e.numeric, ",", e.error, ",", e.left, ",", e.right, ",", e.badness, "\n");
  return s;
}

std::string GradcheckReport::to_json() const {
  using detail::Json;
  Json counts, culprits = Json::array(), entries = Json::array();
  for (int v = 0; v < verdict_count; ++v) counts[name_of(static_cast<Verdict>(v))] = counts_[v];
  for (const GradcheckCulprit& c : culprits_)
    culprits.push_back({{"op", c.op},
                        {"file", c.place.file ? c.place.file : ""},
                        {"line", c.place.line},
                        {"path", c.path},
                        {"rule_of", c.rule_of},
                        {"order", c.order},
                        {"op_index", c.op_index},
                        {"input", c.input},
                        {"element", c.element},
                        {"output", c.output},
                        {"analytic", c.analytic},
                        {"numeric", c.numeric},
                        {"error", c.error},
                        {"left", c.left},
                        {"right", c.right},
                        {"pattern", c.pattern},
                        {"hint", c.hint}});
  for (const GradcheckEntry& e : entries_)
    entries.push_back({{"verdict", name_of(e.verdict)},
                       {"order", e.order},
                       {"by", label(e)},
                       {"output", e.output},
                       {"analytic", e.analytic},
                       {"numeric", e.numeric},
                       {"error", e.error},
                       {"left", e.left},
                       {"right", e.right},
                       {"badness", e.badness}});
  const Json all = {{"ok", ok()},      {"counts", counts},  {"culprits", culprits}, {"problems", problems_},
                    {"notes", notes_}, {"entries", entries}};
  return detail::to_valid_text(all, 1) + "\n";
}

}  // namespace xgrad
