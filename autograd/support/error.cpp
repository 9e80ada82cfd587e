#include <autograd/error.hpp>
#include <charconv>
#include <utility>

// How messages are put together: numbers as text, and where the thread is.
namespace xgrad {

thread_local constinit OpScope* OpScope::current_ = nullptr;
thread_local constinit PathScope* PathScope::current_ = nullptr;

void detail::append(std::string& s, double part) {
  if (part != part) {  // to_chars would write the sign of a NaN
    s += "nan";
    return;
  }
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, part).ptr;
  s.append(buffer, end);
}

std::string PathScope::path() {
  // What describes a frame may be the user's, `members`, and the message of what fails there has no path.
  struct Hidden {
    PathScope* const frames = std::exchange(current_, nullptr);
    ~Hidden() { current_ = frames; }
  } const hidden;
  const PathScope* frames[64];
  int depth = 0;
  for (const PathScope* f = hidden.frames; f && depth < 64; f = f->outer_) frames[depth++] = f;
  Path path;
  while (depth > 0) {
    const PathScope* f = frames[--depth];
    f->describe_(f->self_, path);
  }
  return std::move(path.words);
}

std::string OpScope::prefix() {
  std::string s;
  if (current_ && current_->file_) s += text(current_->file_, ":", current_->line_, ": ");
  if (const std::string path = PathScope::path(); !path.empty()) s += text("in ", path, ": ");
  if (current_) s += text(current_->name_, ": ");
  return s;
}

}  // namespace xgrad
