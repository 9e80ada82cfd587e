from pathlib import Path
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir

required_conan_version = ">=2.0"


class XgradConan(ConanFile):
    name = "xgrad"
    description = "Reverse-mode automatic differentiation on xtensor, with a thin neural-network layer"
    license = "MIT"
    topics = ("automatic-differentiation", "neural-networks", "xtensor")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False]}
    default_options = {"shared": False}

    @property
    def _clone(self):
        """The clone that this file stands in, which it is exported with."""
        return Path(self.recipe_folder).parents[1]

    def set_version(self):
        self.version = re.search(r"project\(xgrad VERSION ([\d.]+)", load(self, self._clone / "CMakeLists.txt"))[1]

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "xgrad.hpp", "cmake/*", "autograd/*", "nn/*", "optim/*"):
            copy(self, pattern, src=self._clone, dst=self.export_sources_folder)

    def requirements(self):
        # xgrad's own headers include these two, if a program wants arrays of xtensor or fused ops.
        self.requires("xtensor/[>=0.24 <0.28]", transitive_headers=True)
        self.requires("xsimd/[>=8.1 <15]", transitive_headers=True)
        self.requires("onetbb/[>=2021.8]")
        self.requires("zlib/[>=1.2.11 <2]")
        self.requires("nlohmann_json/[>=3.11 <4]", visible=False)

    def validate(self):
        check_min_cppstd(self, 20)
        if self.settings.compiler == "msvc":
            raise ConanInvalidConfiguration("xgrad is written for g++ and clang; on Windows that is MinGW")
        if self.settings.os == "Windows" and self.options.shared:
            raise ConanInvalidConfiguration("xgrad is a static library on Windows")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for option in ("XGRAD_TESTS", "XGRAD_EXAMPLES", "XGRAD_ONEDNN"):
            toolchain.cache_variables[option] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", src=self.source_folder, dst=Path(self.package_folder) / "licenses")
        # Conan writes these for each user.
        for folder in ("cmake", "pkgconfig"):
            rmdir(self, Path(self.package_folder) / "lib" / folder)

    def package_info(self):
        self.cpp_info.libs = ["xgrad"]
        self.cpp_info.includedirs = ["include/xgrad"]
