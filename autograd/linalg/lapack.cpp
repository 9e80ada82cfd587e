#include <autograd/error.hpp>
#include <autograd/linalg/lapack.hpp>
#include <autograd/support/system.hpp>
#include <cstdlib>
#include <mutex>
#include <string>

/// LAPACK's functions, found by their names in a library that is loaded.
namespace xgrad::lapack {
namespace {

#ifdef XGRAD_HAVE_LAPACK

constexpr const char* usual_names[] = {"liblapacke.so.3", "liblapacke.3.dylib", "liblapacke.dll"};

void* load() {
  if (const char* const named = std::getenv("XGRAD_LAPACK")) return system::load_library(named);
  for (const char* const name : usual_names)
    if (void* const library = system::load_library(name)) return library;
  return nullptr;
}

void* library() {
  static void* const loaded = load();
  return loaded;
}

[[noreturn]] void fail_missing() {
  const char* const named = std::getenv("XGRAD_LAPACK");
  detail::fail<Error>("LAPACK is missing: there is no library ", named ? named : usual_names[0],
                      named
                          ? ", which XGRAD_LAPACK names, or it lacks LAPACKE"
                          : " with LAPACKE; install it (Debian's package liblapacke, with libopenblas0 for speed), or "
                            "name one in the environment variable XGRAD_LAPACK");
}

#else

void* library() { return nullptr; }

[[noreturn]] void fail_missing() {
  detail::fail<Error>("this build of xgrad is without LAPACK; build it with -DXGRAD_LAPACK=ON");
}

#endif

/// Finds functions, and notes if one is missing.
struct Finder {
  bool complete = library() != nullptr;

  template <class F>
  void operator()(F*& f, const std::string& name) {
    if (!complete) return;
    f = reinterpret_cast<F*>(system::find_function(library(), name.c_str()));
    complete = f != nullptr;
  }
};

/// All of them, or none: potrf is null then.
template <class T>
Functions<T> find_all() {
  const std::string letter = sizeof(T) == sizeof(float) ? "s" : "d";
  const auto lapacke = [&](const char* name) { return "LAPACKE_" + letter + name + "_work"; };
  Functions<T> f{};
  Finder find;
  find(f.potrf, lapacke("potrf"));
  find(f.getrf, lapacke("getrf"));
  find(f.getri, lapacke("getri"));
  find(f.gelqf, lapacke("gelqf"));
  find(f.orglq, lapacke("orglq"));
  find(f.syevd, lapacke("syevd"));
  find(f.gesdd, lapacke("gesdd"));
  find(f.trsm, letter + "trsm_");
  return find.complete ? f : Functions<T>{};
}

template <class T>
const Functions<T>& found_functions() {
  static const Functions<T> all = find_all<T>();
  return all;
}

struct OpenBlas {
  int (*threads)() = nullptr;
  void (*set_threads)(int) = nullptr;

  OpenBlas() {
    Finder find;
    find(threads, "openblas_get_num_threads");
    find(set_threads, "openblas_set_num_threads");
    if (!find.complete) threads = nullptr;
  }
};

const OpenBlas& openblas() {
  static const OpenBlas functions;
  return functions;
}

std::mutex lock;
int scopes = 0, threads_before = 1;  // under the lock

}  // namespace

template <class T>
const Functions<T>& functions() {
  const Functions<T>& all = found_functions<T>();
  if (!all.potrf) fail_missing();
  return all;
}
template const Functions<float>& functions();
template const Functions<double>& functions();

bool found() { return found_functions<float>().potrf && found_functions<double>().potrf; }

OneThread::OneThread() {
  if (!openblas().threads) return;
  const std::lock_guard guard(lock);
  if (scopes++ > 0) return;
  threads_before = openblas().threads();
  if (threads_before > 1) openblas().set_threads(1);
}

OneThread::~OneThread() {
  if (!openblas().threads) return;
  const std::lock_guard guard(lock);
  if (--scopes == 0 && threads_before > 1) openblas().set_threads(threads_before);
}

}  // namespace xgrad::lapack
