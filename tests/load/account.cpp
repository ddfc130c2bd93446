#include "account.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace load {
namespace {

/// Of a sorted sample, what `share` of it does not exceed.
double at(const std::vector<std::uint32_t>& sorted, double share) {
  return sorted.empty() ? 0.0 : sorted[static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * share)];
}

void print_sample(std::ostream& to, std::string_view name, std::vector<std::uint32_t>& sample) {
  if (sample.empty()) return;
  std::sort(sample.begin(), sample.end());
  to << name << "_p50_us " << at(sample, 0.5) << '\n'
     << name << "_p90_us " << at(sample, 0.9) << '\n'
     << name << "_p99_us " << at(sample, 0.99) << '\n'
     << name << "_p999_us " << at(sample, 0.999) << '\n'
     << name << "_longest_us " << at(sample, 1) << '\n';
}

}  // namespace

void account::book(outcome how, instant began, instant now) {
  ++counts_[how];
  if (how != answered) return;
  whole_.push_back(micros(now - began));
  note_pause(now);
}

void account::note_pause(instant now) {
  longest_pause_ = std::max(longest_pause_, now - last_answer_);
  last_answer_ = std::max(last_answer_, now);
}

void account::print(std::ostream& to, double seconds) {
  const auto per_second = [seconds](auto count) { return static_cast<long>(static_cast<double>(count) / seconds); };
  for (std::size_t one = 0; one < outcome_names.size(); ++one) to << outcome_names[one] << ' ' << counts_[one] << '\n';
  std::sort(whole_.begin(), whole_.end());
  to << "seconds " << seconds << "\nper_second " << per_second(counts_[answered]) << "\nmedian_ms " << at(whole_, 0.5) / 1000
     << "\np99_ms " << at(whole_, 0.99) / 1000 << "\nlongest_ms " << at(whole_, 1) / 1000 << "\nlongest_pause_ms "
     << std::chrono::duration_cast<milliseconds>(longest_pause_).count() << '\n';
  print_sample(to, "first_byte", first_);
  print_sample(to, "slow_first_byte", slow_first_);
  if (!requests_.empty()) to << "requests " << requests_.size() << "\nrequests_per_second " << per_second(requests_.size()) << '\n';
  print_sample(to, "request", requests_);
  to << "bytes_sent " << sent_ << "\nbytes_received " << received_ << "\nresumed " << resumed_ << std::endl;
}

}  // namespace load
