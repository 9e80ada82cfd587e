#include "report.hpp"
namespace bench {
std::string picture(const Machine&, const std::vector<Row>&) { return {}; }
}  // namespace bench
