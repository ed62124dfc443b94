from setuptools import Extension, setup

setup(ext_modules=[Extension("_langrearrange_raster", ["langrearrange/sim/embedded/raster/module.c"], py_limited_api=True, define_macros=[("Py_LIMITED_API", "0x030B0000")], extra_compile_args=["-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-pthread"])], options={"bdist_wheel": {"py_limited_api": "cp311"}})  # fmt: skip
