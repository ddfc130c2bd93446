#include "support/temp_directory.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace support {

std::string temp_directory::prefix() { return "waiter-test-" + std::to_string(::getpid()) + '-'; }

temp_directory::temp_directory() {
  auto name = (std::filesystem::temp_directory_path() / (prefix() + "XXXXXX")).string();
  if (!::mkdtemp(name.data())) throw std::system_error{errno, std::generic_category(), "mkdtemp " + name};
  path_ = name;
}

temp_directory::~temp_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace support
