#include "nodes/drive/load_report.hpp"

#include "nodes/load/json_object.hpp"

#include <iomanip>
#include <iostream>

namespace rookery::nodes {

namespace {

constexpr std::array kinds = {operation_kind::post, operation_kind::remove,
                              operation_kind::follow, operation_kind::unfollow,
                              operation_kind::read};

double ms(std::uint64_t us) { return static_cast<double>(us) / 1'000.0; }

void print_latency(std::ostream& out, const histogram& x) {
  for (auto share : {0.5, 0.9, 0.99, 0.999})
    out << std::setw(9) << ms(x.percentile(share));
  out << std::setw(10) << ms(x.max());
}

json_object latency_json(const histogram& x) {
  json_object result;
  result.add("count", x.count())
      .add("p50", ms(x.percentile(0.5)))
      .add("p90", ms(x.percentile(0.9)))
      .add("p99", ms(x.percentile(0.99)))
      .add("p999", ms(x.percentile(0.999)))
      .add("max", ms(x.max()));
  return result;
}

} // namespace

double load_report::tweets_per_second() const {
  auto& posts = results.of(operation_kind::post);
  return load_seconds > 0
             ? static_cast<double>(posts.acknowledged) / load_seconds
             : 0;
}

double load_report::deliveries_per_second() const {
  auto seconds = load_seconds + drain_seconds;
  return seconds > 0 ? static_cast<double>(deliveries) / seconds : 0;
}

void print(std::ostream& out, const load_report& x) {
  out << std::fixed << std::setprecision(1);
  out << "operation           asked attempts    acked  refused   failed"
         "   p50 ms   p90 ms   p99 ms p99.9 ms    max ms\n";
  for (auto kind : kinds) {
    auto& one = x.results.of(kind);
    out << std::left << std::setw(15) << to_string(kind) << std::right
        << std::setw(10) << one.asked << std::setw(9) << one.attempts
        << std::setw(9) << one.acknowledged << std::setw(9) << one.refused
        << std::setw(9) << one.failed;
    print_latency(out, one.latency);
    out << '\n';
  }
  out << "post to timeline" << std::string(45, ' ');
  print_latency(out, x.readable);
  out << "\nsent late       " << std::string(45, ' ');
  print_latency(out, x.results.lag);
  out << "\n\n"
      << std::setprecision(0) << x.tweets_per_second() << " tweets/s, "
      << x.deliveries_per_second() << " deliveries/s; " << x.users << " users, "
      << x.edges << " edges at the start\n";
  if (x.results.failed() > 0)
    out << x.results.failed() << " operations were given up\n";
  if (x.results.left_out > 0)
    out << x.results.left_out << " operations were due, but never sent\n";
  if (x.completions_lost > 0)
    out << x.completions_lost << " times from post to timeline were lost\n";
  for (auto& [error, count] : x.results.errors)
    out << count << " x " << error << '\n';
  if (x.results.bad_reads + x.bad_homes > 0)
    out << x.results.bad_reads + x.bad_homes
        << " reads were wrong, such as: " << x.results.bad_read << '\n';
  out << std::defaultfloat << std::flush;
}

std::string to_json(const load_report& x, const load_options& options) {
  json_object operations;
  for (auto kind : kinds) {
    auto& one = x.results.of(kind);
    json_object object;
    object.add("asked", one.asked)
        .add("attempts", one.attempts)
        .add("retries", one.attempts - one.asked)
        .add("acked", one.acknowledged)
        .add("refused", one.refused)
        .add("failed", one.failed)
        .add("latency_ms", latency_json(one.latency));
    operations.add(to_string(kind), object);
  }
  json_object errors;
  for (auto& [error, count] : x.results.errors)
    errors.add(error, count);
  json_object result;
  result.add("seed", options.seed)
      .add("rate", options.rate)
      .add("users", x.users)
      .add("edges", x.edges)
      .add("load_seconds", x.load_seconds)
      .add("drain_seconds", x.drain_seconds)
      .add("tweets_per_second", x.tweets_per_second())
      .add("deliveries", x.deliveries)
      .add("deliveries_per_second", x.deliveries_per_second())
      .add("post_to_timeline_ms", latency_json(x.readable))
      .add("completions_lost", x.completions_lost)
      .add("sent_late_ms", latency_json(x.results.lag))
      .add("left_out", x.results.left_out)
      .add("bad_reads", x.results.bad_reads + x.bad_homes)
      .add("errors", errors)
      .add("operations", operations);
  return result.text();
}

} // namespace rookery::nodes
