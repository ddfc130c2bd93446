#ifndef WAITER_TESTS_UNIT_PROCESS_SUPERVISOR_WORLD_HPP
#define WAITER_TESTS_UNIT_PROCESS_SUPERVISOR_WORLD_HPP

#include <waiter/process/supervisor.hpp>

#include "unit/process/moment.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <set>
#include <stdexcept>

/// A promise of the supervisor that it broke.
struct broken : std::logic_error {
  using logic_error::logic_error;
};

/// The world as a supervisor meets it: kids that start, serve and die, forks that fail, signals, and time. It has its own books,
/// and throws `broken` as soon as the supervisor's actions do not fit them. Time passes as it does for the parent's loop: whoever
/// waits until a moment is woken at it.
class supervisor_world {
 public:
  static constexpr std::size_t slots = 12;

  /// \param max_age  after which each kid is to be replaced
  supervisor_world(waiter::pool_limits limits, waiter::milliseconds grace, waiter::milliseconds max_age = waiter::never)
      : limits_(limits), grace_(grace), max_age_(max_age), parent_(limits, grace), size_(limits.base()) {
    expect(limits.most() <= static_cast<int>(slots), "the world is too small for this test");
  }

  // What may happen. Each tells whether it could.

  /// A kid gets on: from starting to idle, from idle to busy, from busy to idle.
  bool works(std::size_t slot) {
    if (kids_[slot].pid == 0) return false;
    auto& said = reports_[slot];
    if (said.state == waiter::activity::busy) kids_[slot].served = true;
    said = {said.state == waiter::activity::idle ? waiter::activity::busy : waiter::activity::idle, now_, said.due};
    return true;
  }

  /// A kid says that it has had its number of clients.
  bool is_due(std::size_t slot) {
    if (kids_[slot].pid == 0 || reports_[slot].due) return false;
    return reports_[slot].due = true;
  }

  /// All kids are to be replaced.
  void reload() {
    ++reloads_;
    parent_.reload();
  }

  /// Who was asked leaves.
  bool the_asked_leave() {
    bool changed = false;
    for (std::size_t slot = 0; slot < slots; ++slot)
      if (kids_[slot].asked) changed |= dies(slot);
    return changed;
  }

  bool dies(std::size_t slot) {
    kid& dead = kids_[slot];
    if (dead.pid == 0) return false;
    const bool sound = dead.served || is_sound(slot);
    const bool young = !sound && !dead.asked;
    const auto ended = parent_.kid_ended(dead.pid, reports_[slot], dead.served, now_);
    expect(ended.has_value(), "a kid that ended was not known");
    expect(ended->slot == slot, "a kid that ended was found in another slot");
    expect(ended->young == young, "a death was taken for a young one, or a young one was not");
    expect(!parent_.kid_ended(dead.pid, reports_[slot], dead.served, now_), "a kid was reaped twice");

    if (sound && dead.born >= trouble_since_) deaths_ = 0;
    if (young && deaths_++ == 0) trouble_since_ = now_;
    dead = {};
    return true;
  }

  /// Somebody stops a kid with a signal, or lets it continue.
  bool is_stopped_or_continues(std::size_t slot) {
    if (kids_[slot].pid == 0) return false;
    kids_[slot].stopped = !kids_[slot].stopped;
    parent_.kid_stopped(slot, kids_[slot].stopped);
    size_ = std::max(size_, relied_on());
    return true;
  }

  /// The user tells all kids to leave.
  void all_are_told() {
    parent_.all_were_asked();
    for (kid& each : kids_) each.asked = each.pid != 0;
  }

  /// Somebody else's child ends.
  void stranger_dies() { expect(!parent_.kid_ended(stranger, {}, false, now_), "a stranger was taken for a kid"); }

  /// A kid gone wild writes whatever it likes into its own report.
  bool lies(std::size_t slot, waiter::kid_report lie) {
    if (kids_[slot].pid == 0) return false;
    reports_[slot] = lie;
    return true;
  }

  /// Forks fail from now on, or work again. After a stop that cannot matter.
  bool toggle_forks() {
    forks_work_ = !forks_work_;
    return !stopped_;
  }

  void stop() {
    parent_.stop(now_);
    if (!stopped_) kill_at_ = waiter::later(now_, grace_);
    stopped_ = true;
  }

  void hurry() {
    stop();
    parent_.hurry(now_);
    kill_at_ = std::min(kill_at_, now_);
  }

  /// Time passes; the loop wakes whenever it wanted to.
  void pass(waiter::milliseconds span) {
    const waiter::instant end = now_ + span;
    while (!finished_ && wake_at_ <= end) {
      now_ = wake_at_;
      look();
    }
    now_ = end;
  }

  /// The loop turns once: it does what the supervisor says, until that is to wait.
  void look() {
    note_evidence();
    if (busy() > 0) size_ = limits_.maxfork;  // a batch may be under way
    for (std::size_t actions = 0;; ++actions) {
      expect(actions <= 4 * slots, "the loop turns without end");
      const waiter::action next = parent_.next(reports_, now_);
      expect(!finished_ || next.kind == waiter::action::finished, "there was something to do after the end");
      switch (next.kind) {
        case waiter::action::fork: fork(next); break;
        case waiter::action::ask: ask(next); break;
        case waiter::action::kill: kill(next); break;
        case waiter::action::wait: wait(next); break;
        case waiter::action::finished: finish(); break;
      }
      compare_books();
      if (next.kind != waiter::action::wait && next.kind != waiter::action::finished) continue;
      // The supervisor has seen that nobody is due.
      if (due() == 0) {
        size_ = std::max(limits_.base(), relied_on());
        for (kid& each : kids_) each.heir = false;
      }
      return;
    }
  }

  /// From here on all is well: forks work, kids get ready, clients end, and who is asked leaves. Then a pool is full within
  /// 3 s, at its base exactly when nobody was needed for `px_idle`, all in it are of the last generation and not past their time, and
  /// then it wakes its parent no more; a stop comes to its end.
  void expect_peace() {
    if (stopped_) return expect_an_end();
    forks_work_ = true;
    max_age_ = waiter::never;
    const waiter::instant full = now_ + std::chrono::seconds(3);
    const waiter::instant settled = full + 3 * limits_.px_idle;
    look();
    for (int wakes = 0;; ++wakes) {
      expect(wakes < 100, "a pool in peace is not quiet");
      while (calm_down()) look();
      if (wake_at_ > full) expect(relied_on() >= limits_.base(), "the pool is not full 3 s after the trouble");
      if (wake_at_ > settled) break;
      now_ = wake_at_;
      look();
    }
    expect(relied_on() == limits_.base() && alive() == relied_on(), "a pool in peace is not at its base");
    expect(due() == 0, "a pool in peace has somebody who should have been replaced");
    for (const kid& each : kids_) expect(each.pid == 0 || each.reloads == reloads_, "a reload was lost");
    expect(wake_at_ == waiter::instant::max(), "a pool in peace wakes its parent");
  }

  bool finished() const { return finished_; }
  waiter::instant now() const { return now_; }

 private:
  struct kid {
    pid_t pid = 0;
    waiter::instant born{};
    bool served = false;
    bool asked = false;
    bool killed = false;
    bool stopped = false;
    bool replaced = false;                                // asked, for another one
    bool heir = false;                                    // forked although the pool was full, and nobody had a client
    int reloads = 0;                                      // before it was born
    waiter::instant expires = waiter::instant::max();
  };

  static constexpr pid_t stranger = 1000;

  static void expect(bool kept, const char* promise) {
    if (!kept) throw broken(promise);
  }

  void fork(const waiter::action& next) {
    expect(!stopped_, "a fork after the stop");
    const int at_once = std::min(due(), limits_.replaced_at_once());
    expect(alive() < limits_.most(), "more kids than there are places");
    expect(alive() - count([this](std::size_t slot) { return kids_[slot].replaced; }) < limits_.maxfork + at_once,
           "a fork beyond maxfork, and more than nobody would have to be replaced first");
    expect(next.slot < slots && kids_[next.slot].pid == 0, "a fork into a slot that is taken");
    const bool heir = relied_on() >= limits_.base() && busy() == 0;
    expect(!heir || due() > 0, "a fork that nobody needs");
    expect(relied_on() < size_ + at_once, "more are replaced at once than should be");
    expect(now_ >= retry_at_, "a fork too soon after one that failed");
    if (deaths_ >= std::max(3, limits_.prefork))
      expect(now_ >= last_fork_ + std::chrono::milliseconds(100), "more than ten forks a second while kids die young");

    if (!forks_work_) {
      retry_at_ = now_ + std::chrono::milliseconds(50);
      return parent_.fork_failed(now_);
    }
    last_fork_ = now_;
    kids_[next.slot] = {.pid = fresh_pid(), .born = now_, .heir = heir, .reloads = reloads_, .expires = waiter::later(now_, max_age_)};
    reports_[next.slot] = {};
    parent_.kid_forked(next.slot, kids_[next.slot].pid, now_, kids_[next.slot].expires);
    std::set<unsigned> generations;
    parent_.kids().for_each([&](std::size_t, const auto& each) { generations.insert(each.generation); });
    expect(static_cast<int>(generations.size()) <= std::max(1, limits_.old_generations) + 1, "too many generations live");
  }

  void ask(const waiter::action& next) {
    kid& asked = addressed(next);
    expect(!asked.asked, "a kid was asked twice");
    if (!stopped_ && is_due_to_go(next.slot)) {
      // Those who were on their way before count as they always do; who is not ready itself is no loss.
      const int left = count([&](std::size_t slot) { return slot != next.slot && relies_on(slot) && (is_ready(slot) || !kids_[slot].heir); });
      expect(left >= limits_.base() || !is_ready(next.slot), "a kid was asked before another one was ready in its stead");
      asked.replaced = true;
    } else if (!stopped_) {
      const auto said = heard(next.slot);
      expect(relied_on() > limits_.base(), "a kid was retired that the base needs");
      expect(said.state == waiter::activity::idle, "a kid was retired that is not idle");
      expect(now_ - said.since >= limits_.px_idle, "a kid was retired before px_idle");
    }
    asked.asked = true;
  }

  void kill(const waiter::action& next) {
    kid& killed = addressed(next);
    expect(stopped_, "a kid was killed without a stop");
    expect(killed.asked, "a kid was killed that was not asked");
    expect(!killed.killed, "a kid was killed twice");
    expect(now_ >= kill_at_, "a kid was killed within its grace time");
    killed.killed = true;
    last_kill_ = now_;
  }

  void wait(const waiter::action& next) {
    wake_at_ = next.until;
    expect(wake_at_ > now_, "a wait that is over before it begins");
    if (stopped_) {
      for (const kid& each : kids_) expect(each.pid == 0 || each.asked, "a stop did not ask everybody");
      if (now_ >= kill_at_)
        for (const kid& each : kids_) expect(each.pid == 0 || each.killed, "the grace time is over, and somebody was not killed");
      return;
    }
    const bool needed = relied_on() < limits_.base() || (busy() == relied_on() && busy() < limits_.maxfork);
    if (needed && alive() < limits_.maxfork && due() == 0)
      expect(wake_at_ <= now_ + std::chrono::seconds(2), "kids are needed, and the parent does not look for 2 s");
    if (busy() == 0 && relied_on() > limits_.base() && due() == 0)
      for (std::size_t slot = 0; slot < slots; ++slot) {
        if (!relies_on(slot) || heard(slot).state != waiter::activity::idle) continue;
        expect(now_ < heard(slot).since + limits_.px_idle, "a kid should have been retired");
      }
  }

  void finish() {
    expect(stopped_, "finished without a stop");
    const bool abandoned = now_ >= kill_at_ && now_ >= last_kill_ + std::chrono::seconds(2);
    expect(alive() == 0 || abandoned, "finished while kids are there");
    for (const kid& each : kids_) expect(each.pid == 0 || each.killed, "finished, and somebody was not killed");
    finished_ = true;
  }

  void expect_an_end() {
    // Nobody even dies of SIGKILL.
    look();
    const waiter::instant end = std::max(now_, kill_at_) + std::chrono::seconds(2);
    for (int wakes = 0; !finished_; ++wakes) {
      expect(wakes < 10 && wake_at_ <= end, "a stop does not come to its end");
      now_ = wake_at_;
      look();
    }
  }

  // Who is stopped continues, who is asked leaves, who has a client is done with it, who starts gets ready. True when that changed anything.
  bool calm_down() {
    bool changed = false;
    for (std::size_t slot = 0; slot < slots; ++slot) {
      if (kids_[slot].pid == 0) continue;
      if (kids_[slot].stopped) changed |= is_stopped_or_continues(slot);
      if (kids_[slot].asked)
        changed |= dies(slot);
      else if (reports_[slot].state != waiter::activity::idle)
        changed |= works(slot);
    }
    return changed;
  }

  void compare_books() const {
    int here = 0;
    for (std::size_t slot = 0; slot < slots; ++slot) {
      const auto* const booked = parent_.kids().at(slot);
      const kid& mine = kids_[slot];
      expect((booked ? booked->pid : 0) == mine.pid, "a slot was lost, or has somebody else");
      expect(!booked || (booked->asked == mine.asked && booked->killed == mine.killed), "the books on signals differ");
      here += mine.pid != 0;
    }
    expect(parent_.kids().count() == here, "the count of kids is wrong");
    expect(here <= limits_.most(), "more kids than there are places");
  }

  kid& addressed(const waiter::action& next) {
    expect(next.slot < slots && next.pid > 0 && kids_[next.slot].pid == next.pid, "a signal to somebody who is not a kid");
    return kids_[next.slot];
  }

  waiter::kid_report heard(std::size_t slot) const {
    return {reports_[slot].state, std::clamp(reports_[slot].since, kids_[slot].born, now_), reports_[slot].due};
  }

  bool is_sound(std::size_t slot) const {
    const auto said = heard(slot);
    if (said.state == waiter::activity::idle) return now_ - said.since >= std::chrono::seconds(1);
    return said.state == waiter::activity::busy;
  }

  void note_evidence() {
    if (deaths_ == 0 || stopped_) return;
    for (std::size_t slot = 0; slot < slots; ++slot)
      if (kids_[slot].pid != 0 && kids_[slot].born >= trouble_since_ && is_sound(slot)) deaths_ = 0;
  }

  // Pids come round soon, so that a dead kid's is soon another's.
  pid_t fresh_pid() {
    const auto taken = [this](pid_t pid) {
      return std::any_of(kids_.begin(), kids_.end(), [pid](const kid& each) { return each.pid == pid; });
    };
    do last_pid_ = last_pid_ % static_cast<pid_t>(slots + 1) + 1;
    while (taken(last_pid_));
    return last_pid_;
  }

  template <class Predicate>
  int count(Predicate is_so) const {
    int found = 0;
    for (std::size_t slot = 0; slot < slots; ++slot) found += kids_[slot].pid != 0 && is_so(slot);
    return found;
  }
  int alive() const {
    return count([](std::size_t) { return true; });
  }
  bool relies_on(std::size_t slot) const { return kids_[slot].pid != 0 && !kids_[slot].asked && !kids_[slot].stopped; }
  bool is_ready(std::size_t slot) const { return reports_[slot].state != waiter::activity::starting; }
  bool is_due_to_go(std::size_t slot) const {
    // A generation that had to wait also replaces those who were born meanwhile, so a count of our own would not do.
    return reports_[slot].due || kids_[slot].expires <= now_ || parent_.kids().outdated(*parent_.kids().at(slot));
  }
  int relied_on() const {
    return count([this](std::size_t slot) { return relies_on(slot); });
  }
  int due() const {
    return count([this](std::size_t slot) { return relies_on(slot) && is_due_to_go(slot); });
  }
  int busy() const {
    return count([this](std::size_t slot) {
      return !kids_[slot].asked && !kids_[slot].stopped && reports_[slot].state == waiter::activity::busy;
    });
  }

  waiter::pool_limits limits_;
  waiter::milliseconds grace_;
  waiter::milliseconds max_age_;
  waiter::supervisor parent_;
  std::array<kid, slots> kids_{};
  std::array<waiter::kid_report, slots> reports_{};
  waiter::instant now_ = at(waiter::milliseconds(0));
  waiter::instant wake_at_ = now_;
  bool forks_work_ = true;
  bool stopped_ = false;
  bool finished_ = false;
  waiter::instant kill_at_ = waiter::instant::max();
  waiter::instant last_kill_ = waiter::instant::min();
  waiter::instant last_fork_ = waiter::instant::min();
  waiter::instant retry_at_ = waiter::instant::min();
  int reloads_ = 0;
  int size_;  // of the pool, when nobody was due, or larger because there were clients
  int deaths_ = 0;  // young ones, since a sound kid
  waiter::instant trouble_since_{};
  pid_t last_pid_ = 0;
};

#endif
