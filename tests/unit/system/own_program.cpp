#include <waiter/system/own_program.hpp>

#include "support/catch.hpp"

#include <filesystem>

TEST_CASE("a process knows its file by its path, and how it was called") {
  const auto own = waiter::system::read_own_program();
  CHECK(std::filesystem::path(own.file).is_absolute());
  CHECK(std::filesystem::equivalent(own.file, "/proc/self/exe"));
  REQUIRE_FALSE(own.arguments.empty());
  CHECK(std::filesystem::path(own.arguments.front()).filename() == std::filesystem::path(own.file).filename());
}
