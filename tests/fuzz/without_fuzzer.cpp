// For compilers without libFuzzer, and for CI: the same target, with inputs from files, or from seeds that are the same everywhere.
//   TARGET [COUNT | FILE…]
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void try_one(const std::vector<std::uint8_t>& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

}  // namespace

int main(int argc, char** argv) {
  unsigned count = 2000;
  if (argc > 1 && std::isdigit(static_cast<unsigned char>(argv[1][0])) != 0)
    count = static_cast<unsigned>(std::strtoul(argv[1], nullptr, 10));
  else
    for (int at = 1; at < argc; ++at, count = 0) {
      std::ifstream file(argv[at], std::ios::binary);
      try_one({std::istreambuf_iterator<char>(file), {}});
    }
  for (unsigned seed = 0; seed < count; ++seed) {
    std::mt19937 luck(seed);
    std::vector<std::uint8_t> input(luck() % 2048);
    // Noise, runs of one value, and runs of extremes.
    const auto kind = luck() % 3;
    for (auto& one : input)
      one = static_cast<std::uint8_t>(kind == 0 ? luck() : kind == 1 ? seed : luck() % 2 == 0 ? 0xff : luck() % 5);
    try_one(input);
  }
  std::printf("%u inputs\n", count);
}
