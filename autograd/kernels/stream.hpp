#pragma once
#include <autograd/kernels/loop.hpp>

/// Whether results are stored past the caches. A processor reads every line that it is about to overwrite, unless whole
/// lines are stored so. Storing a result so that is evicted before it is read moves a third to a half less memory; a
/// smaller one is read from the cache next.
namespace xgrad::kernels {

/// Whether what elementwise kernels, transposed copies and softmax of rows write in this thread goes past the caches. A
/// kernel may be called for a piece of its work, so it cannot tell by itself.
extern thread_local constinit bool streaming;

/// Whether that repays for a result of so many bytes.
bool outgrows_caches(Size bytes);

/// Sets `streaming` while it lives.
class Streaming {
 public:
  explicit Streaming(bool on) { streaming = on; }
  Streaming(const Streaming&) = delete;
  Streaming& operator=(const Streaming&) = delete;
  ~Streaming() {
    if (streaming) finish();
  }

 private:
  static void finish();
};

}  // namespace xgrad::kernels
