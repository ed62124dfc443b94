"""The C extension, nothing else; all metadata is in setup.cfg."""

import shutil
from glob import glob

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

RASTER = "langrearrange/sim/embedded/raster/"
FLAGS = "-O3 -std=gnu11 -ffp-contract=off -fno-math-errno -fno-trapping-math -Wno-psabi"


class BuildRaster(build_ext):
    """Name the remedy where the compiler's own message would not."""

    def build_extension(self, ext):
        """Build, or say which package is missing."""
        try:
            super().build_extension(ext)
        except Exception as error:
            raise SystemExit(
                f"langrearrange: its renderer (C) could not be built: {error}\n"
                "Install a C compiler and the Python headers, then try again: "
                "'apt install gcc libc6-dev python3-dev' (Debian, Ubuntu), "
                "'dnf install gcc python3-devel' (Fedora, RHEL), "
                "'conda install c-compiler' (conda). A wheel needs none of them."
            ) from error


class BuildModules(build_py):
    """Begin with an empty folder: an earlier build may hold modules that are gone."""

    def run(self):
        """Build the Python modules."""
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(
    cmdclass={"build_ext": BuildRaster, "build_py": BuildModules},
    ext_modules=[
        Extension(
            "_langrearrange_raster",
            sorted(glob(RASTER + "*.c")),
            depends=sorted(glob(RASTER + "**/*.h", recursive=True)),
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            extra_compile_args=FLAGS.split(),
            extra_link_args=["-pthread"],
            py_limited_api=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
