#include <waiter/client/text.hpp>

#include "support/catch.hpp"
#include "unit/client/memory_client.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>

namespace {

std::size_t allocations = 0;
std::size_t largest_allocation = 0;

// Out of line, and all of them: compilers and sanitizers look for a `new` whose memory another family frees.
[[gnu::noinline]] void* counted(std::size_t size) noexcept {
  ++allocations;
  largest_allocation = std::max(largest_allocation, size);
  return std::malloc(size);
}
void* counted_or_throw(std::size_t size) {
  if (void* memory = counted(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void give_back(void* memory) noexcept { std::free(memory); }

}  // namespace

void* operator new(std::size_t size) { return counted_or_throw(size); }
void* operator new[](std::size_t size) { return counted_or_throw(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counted(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return counted(size); }
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { give_back(memory); }

TEST_CASE("the memory for lines stays below the limit and a chunk") {
  for (const std::size_t limit : {10u, 4096u, 10000u, 100000u}) {
    for (const std::size_t piece : {1u, 1000u, 1u << 20}) {
      CAPTURE(limit, piece);
      memory_client client;
      client.wire.say(std::string(limit * 3 + 10000, 'x'), piece);
      waiter::error_code error;
      largest_allocation = 0;
      client.read_line(limit, error);
      const auto largest = largest_allocation;
      CHECK(error == waiter::error::line_too_long);
      CHECK(largest <= limit + waiter::client_streambuf::chunk);
      CHECK(client.buffered() <= limit + waiter::client_streambuf::chunk);
    }
  }
}

TEST_CASE("a client that is only read and written allocates nothing") {
  memory_client client;
  client.wire.says = {"abc"};
  client.wire.sent.reserve(100);
  std::array<char, 10> bytes;
  waiter::error_code error;
  allocations = 0;
  client.read_some(boost::asio::buffer(bytes), error);
  client.write_some(boost::asio::buffer("hello"), error);
  client.write("world", error);
  client.flush_stream();
  const bool untouched = client.buffered() == 0 && !client.stream_error();
  const auto made = allocations;
  CHECK(untouched);
  CHECK(made == 0);
  client.read_line(error);
  CHECK(allocations != made);
}

TEST_CASE("a million short lines cost no more reads than their bytes need") {
  memory_client client;
  std::string text;
  for (int i = 0; i != 1000000; ++i) text += "abc\n";
  client.wire.say(text, 4095);
  std::size_t count = 0;
  while (auto line = client.read_line()) count += line->size() == 3;
  CHECK(count == 1000000);
  CHECK(client.wire.reads < 3000);
}
