# shellcheck shell=bash
# Sourced by examples/run and tests/run: finds out what this machine lacks, and installs it where there is apt.

# A name, then its packages for apt, dnf, pacman and brew. What is found has a function `has_NAME`.
packages() {
  cat <<'TABLE'
compiler   g++               gcc-c++               gcc        gcc
clang      clang             clang                 clang      llvm
sanitizers libclang-rt-dev   compiler-rt           compiler-rt llvm
meson      meson             meson                 meson      meson
ninja      ninja-build       ninja-build           ninja      ninja
pkgconfig  pkg-config        pkgconf-pkg-config    pkgconf    pkgconf
boost      libboost1.81-dev  boost-devel           boost      boost
openssl    libssl-dev        openssl-devel         openssl    openssl@3
catch2     catch2            catch2-devel          catch2     catch2
cmake      cmake             cmake                 cmake      cmake
python     python3           python3               python     python
certtool   openssl           openssl               openssl    openssl@3
curl       curl              curl                  curl       curl
doxygen    doxygen           doxygen               doxygen    doxygen
valgrind   valgrind          valgrind              valgrind   valgrind
strace     strace            strace                strace     strace
TABLE
}

compiles() { "$1" -std=c++20 -fsyntax-only -x c++ - >/dev/null 2>&1; }
at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

has_compiler() { compiles "${CXX:-g++}" <<<'#include <concepts>'; }
has_clang() { compiles clang++ <<<'#include <concepts>'; }
has_sanitizers() { clang++ -fsanitize=address,undefined -o /dev/null -x c++ - <<<'int main() {}'; }
has_meson() { at_least 1.0 "$(meson --version 2>/dev/null || echo 0)"; }
has_ninja() { command -v ninja; }
has_pkgconfig() { command -v pkg-config; }
has_boost() { compiles "${CXX:-g++}" <<<$'#include <boost/version.hpp>\n#if BOOST_VERSION < 108100\n#error\n#endif'; }
has_openssl() { compiles "${CXX:-g++}" <<<$'#include <openssl/opensslv.h>\n#if OPENSSL_VERSION_MAJOR < 3\n#error\n#endif'; }
has_catch2() { compiles "${CXX:-g++}" <<<$'#if !__has_include(<catch2/catch_all.hpp>) && !__has_include(<catch2/catch.hpp>)\n#error\n#endif'; }
has_cmake() { command -v cmake; }
has_python() { command -v python3; }
has_certtool() { command -v openssl; }
has_curl() { command -v curl; }
has_doxygen() { command -v doxygen; }
has_valgrind() { command -v valgrind; }
has_strace() { command -v strace; }

give_up() {
  printf '%s: %s\n' "${0##*/../}" "$*" >&2
  exit 1
}

# lacking NAME…: prints those that are not here.
lacking() {
  local name
  for name; do
    "has_$name" >/dev/null 2>&1 || echo "$name"
  done
}

# packages_of COLUMN NAME…: what the names are called there.
packages_of() {
  local column=$1 name
  shift
  for name; do
    packages | awk -v name="$name" -v column="$column" '$1 == name {print $column}'
  done | sort -u | paste -sd " "
}

# need NAME…: afterwards all of them are here, or the script has ended.
need() {
  local missing wanted as_root=()
  missing=$(lacking "$@" | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086  # a list of words
  if ! command -v apt-get >/dev/null; then
    give_up "not found: $missing. Install with one of
  dnf install $(packages_of 3 $missing)
  pacman -S $(packages_of 4 $missing)
  brew install $(packages_of 5 $missing)"
  fi
  # shellcheck disable=SC2086
  wanted=$(packages_of 2 $missing)
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || give_up "only root can install what is missing here: apt-get install $wanted"
    as_root=(sudo)
  fi
  echo "installing $wanted"
  ${as_root[@]+"${as_root[@]}"} apt-get update -qq || give_up "apt-get update failed; missing are: $wanted"
  case $wanted in *libboost1.81-dev*) wanted=${wanted/libboost1.81-dev/$(boost_package)} ;; esac
  # shellcheck disable=SC2086
  ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get install -y -qq --no-install-recommends $wanted >/dev/null ||
    give_up "apt-get could not install: $wanted"
  missing=$(lacking "$@" | tr '\n' ' ')
  [ -z "$missing" ] || give_up "still missing or too old after apt-get (Meson >= 1.0, Boost >= 1.81, OpenSSL >= 3.0): $missing"
}

# Debian 12 has 1.81 beside its older default; later ones have only a default, since 1.86 with a library for Boost.Process.
boost_package() {
  if apt-cache show libboost1.81-dev >/dev/null 2>&1; then
    echo libboost1.81-dev
  elif apt-cache show libboost-process-dev >/dev/null 2>&1; then
    echo libboost-dev libboost-process-dev libboost-filesystem-dev
  else
    echo libboost-dev
  fi
}
