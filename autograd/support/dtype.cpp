#include <autograd/dtype.hpp>
#include <ostream>

namespace xgrad {

std::ostream& operator<<(std::ostream& out, Dtype d) { return out << name_of(d); }

}  // namespace xgrad
