#ifndef WAITER_TESTS_SUPPORT_TEMP_DIRECTORY_HPP
#define WAITER_TESTS_SUPPORT_TEMP_DIRECTORY_HPP

#include <filesystem>
#include <string>

namespace support {

/// A directory of a test's own, removed with all that is in it.
class temp_directory {
 public:
  temp_directory();
  ~temp_directory();
  temp_directory(const temp_directory&) = delete;
  temp_directory& operator=(const temp_directory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// What the names of those that this process makes begin with.
  static std::string prefix();

  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace support

#endif
