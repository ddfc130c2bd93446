#ifndef WAITER_EXAMPLES_SUPPORT_POOL_PAGE_HPP
#define WAITER_EXAMPLES_SUPPORT_POOL_PAGE_HPP

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <string_view>

namespace waiter_examples {

/// A pool of processes as one of its kids sees it.
struct pool_view {
  pid_t kid;
  int busy;
  int kids;
  unsigned clients;   ///< of this kid
  unsigned requests;  ///< of this client
  std::chrono::seconds uptime;
};

inline std::string in_words(std::chrono::seconds time) {
  auto split = [rest = time.count()](long unit) mutable {
    const long whole = rest / unit;
    rest %= unit;
    return whole;
  };
  const long days = split(86400), hours = split(3600), minutes = split(60), seconds = split(1);
  std::ostringstream text;
  if (days != 0)
    text << days << " d " << hours << " h";
  else if (hours != 0)
    text << hours << " h " << minutes << " min";
  else if (minutes != 0)
    text << minutes << " min " << seconds << " s";
  else
    text << seconds << " s";
  return text.str();
}

inline std::string to_json(const pool_view& now) {
  std::ostringstream text;
  text << "{\"pid\": " << now.kid << ", \"busy\": " << now.busy << ", \"kids\": " << now.kids << ", \"clients\": " << now.clients
       << ", \"requests\": " << now.requests << ", \"uptime\": " << now.uptime.count() << "}\n";
  return text.str();
}

/// A page that needs nothing from elsewhere, and asks for itself again every two seconds.
inline std::string to_html(const pool_view& now) {
  constexpr std::string_view head = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="2">
<link rel="icon" href="data:,">
<style>
  :root {
    --paper: #f6f4ef; --card: #ffffff; --ink: #1f2328; --faint: #6e6a62; --line: #e6e1d7;
    --idle: #dcd6ca; --busy: #c2703d; --me: #2f6f62; --shadow: 0 1px 2px #1f232812, 0 12px 32px #1f232814;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --paper: #15171a; --card: #1d2024; --ink: #e8e6e1; --faint: #98948b; --line: #2d3136;
      --idle: #363b41; --busy: #e0915c; --me: #64b3a1; --shadow: 0 1px 2px #0006, 0 12px 32px #0006;
    }
  }
  * { box-sizing: border-box; margin: 0; }
  body {
    min-height: 100vh; display: grid; place-items: center; padding: 2rem 1rem;
    background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  }
  main {
    width: 100%; max-width: 40rem; padding: clamp(1.5rem, 6vw, 2.5rem); border: 1px solid var(--line); border-radius: 1.25rem;
    background: var(--card); box-shadow: var(--shadow);
  }
  h1 { font-size: 1.75rem; line-height: 1.2; font-weight: 650; letter-spacing: -.02em; }
  h1 + p { margin-top: .5rem; color: var(--faint); }
  ul { list-style: none; display: flex; flex-wrap: wrap; gap: .5rem; margin: 2rem 0 1rem; padding: 0; }
  li { width: 2rem; height: 2rem; border-radius: .6rem; background: var(--idle); }
  li.busy { background: var(--busy); }
  li.me { background: var(--me); }
  li.more { width: auto; padding: 0 .75rem; background: none; color: var(--faint); line-height: 2rem; }
  .key { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; color: var(--faint); font-size: .875rem; }
  .key span::before {
    content: ""; display: inline-block; width: .7em; height: .7em; margin-right: .5em; border-radius: .2em;
    background: var(--idle);
  }
  .key .me::before { background: var(--me); }
  .key .busy::before { background: var(--busy); }
  dl {
    display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: 1.25rem; margin-top: 2rem;
    padding-top: 1.75rem; border-top: 1px solid var(--line);
  }
  dt { color: var(--faint); font-size: .8125rem; }
  dd { font-size: 1.375rem; font-weight: 600; font-variant-numeric: tabular-nums; letter-spacing: -.01em; white-space: nowrap; }
  footer { margin-top: 2rem; color: var(--faint); font-size: .875rem; }
  a { color: inherit; text-underline-offset: .2em; }
</style>
)";
  // So many fit on a screen.
  constexpr int most = 200;
  std::ostringstream page;
  page << head << "<title>" << now.busy << " of " << now.kids << " busy</title>\n</head>\n<body>\n<main>\n<h1>" << now.busy
       << " of " << now.kids
       << " waiters busy</h1>\n<p>Each square is a process. The green one has brought you this page.</p>\n<ul>";
  for (int kid = 0; kid < std::min(now.kids, most); ++kid)
    page << (kid == 0 ? "<li class=\"me\"></li>" : kid < now.busy ? "<li class=\"busy\"></li>" : "<li></li>");
  if (now.kids > most) page << "<li class=\"more\">and " << now.kids - most << " more</li>";
  page << "</ul>\n<p class=\"key\"><span class=\"me\">yours</span><span class=\"busy\">busy with "
          "others</span><span>idle</span></p>\n<dl>\n"
       << "<div><dt>Your waiter</dt><dd>" << now.kid << "</dd></div>\n<div><dt>Its clients so far</dt><dd>" << now.clients
       << "</dd></div>\n<div><dt>Your requests</dt><dd>" << now.requests << "</dd></div>\n<div><dt>Open for</dt><dd>"
       << in_words(now.uptime) << "</dd></div>\n</dl>\n"
       << "<footer>The same for programs: <a href=\"/status.json\">status.json</a></footer>\n</main>\n</body>\n</html>\n";
  return page.str();
}

}  // namespace waiter_examples

#endif
