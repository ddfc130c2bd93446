#include "support/temp_directory.hpp"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace support {

temp_directory::temp_directory() {
  auto name = (std::filesystem::temp_directory_path() / "waiter-test-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::system_error{errno, std::generic_category(), "mkdtemp " + name};
  path_ = name;
}

temp_directory::~temp_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace support
