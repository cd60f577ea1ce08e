#include "nodes/load/journal.hpp"

#include "nodes/config/number.hpp"

#include <filesystem>
#include <sstream>
#include <system_error>
#include <unordered_map>

namespace rookery::nodes {

namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> result;
  while (!line.empty()) {
    auto end = std::min(line.find(' '), line.size());
    if (end > 0)
      result.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return result;
}

/// Reads one journal, line by line.
class reader {
public:
  explicit reader(journal& target) : target_(target) {}

  /// Whether the line was understood.
  bool read(const std::vector<std::string_view>& words) {
    if (words[0] == "run" && words.size() == 1) {
      open_.clear();
      return true;
    }
    if ((words[0] == "import" || words[0] == "edge") && words.size() == 3)
      return read_edge(words);
    if (words[0] == "try" && words.size() >= 4)
      return read_attempt(words);
    if (words[0] == "ok" || words[0] == "no")
      return read_ending(words);
    return false;
  }

private:
  bool read_edge(const std::vector<std::string_view>& words) {
    auto follower = parse_number(words[1]);
    auto followee = parse_number(words[2]);
    if (follower && followee)
      target_.entries.push_back(
          {{operation_kind::follow, *follower, *followee},
           words[0] == "edge" ? ending::acknowledged : ending::unknown,
           0,
           true});
    return follower && followee;
  }

  bool read_attempt(const std::vector<std::string_view>& words) {
    using enum operation_kind;
    auto number = parse_number(words[1]);
    auto user = parse_number(words[3]);
    auto subject =
        words.size() == 5 ? parse_number(words[4]) : std::uint64_t{0};
    if (!number || !user || !subject)
      return false;
    for (auto kind : {post, remove, follow, unfollow})
      if (words[2] == to_string(kind)
          && words.size() == (kind == post ? 4U : 5U)) {
        target_.entries.push_back({{kind, *user, *subject}});
        return open_.emplace(*number, target_.entries.size() - 1).second;
      }
    return false;
  }

  bool read_ending(const std::vector<std::string_view>& words) {
    if (words.size() < 2 || words.size() > 3)
      return false;
    auto number = parse_number(words[1]);
    auto tweet = words.size() == 3 ? parse_number(words[2]) : std::uint64_t{0};
    auto found = number ? open_.find(*number) : open_.end();
    if (!tweet || found == open_.end())
      return false;
    auto& entry = target_.entries[found->second];
    entry.how = words[0] == "ok" ? ending::acknowledged : ending::refused;
    entry.tweet = *tweet;
    open_.erase(found);
    return entry.what.kind != operation_kind::post
           || entry.how == ending::refused || *tweet != 0;
  }

  journal& target_;
  /// Where this run's attempts without an ending are, by number.
  std::unordered_map<std::uint64_t, std::size_t> open_;
};

// Whoever appends to a line that was cut off makes another one of it.
void cut_to_whole_lines(const std::string& name) {
  std::ifstream input{name, std::ios::binary};
  std::uintmax_t whole = 0;
  std::string line;
  while (std::getline(input, line) && !input.eof())
    whole += line.size() + 1;
  std::error_code ignored; // a file that cannot be written is told by flush
  if (input.is_open() && !input.bad()
      && whole < std::filesystem::file_size(name, ignored))
    std::filesystem::resize_file(name, whole, ignored);
}

} // namespace

journal_writer::journal_writer(const std::string& name)
    : enabled_(!name.empty()) {
  if (!enabled_)
    return;
  cut_to_whole_lines(name);
  file_.open(name, std::ios::app);
  file_ << "run\n";
}

void journal_writer::importing(const edge& x) {
  if (enabled_)
    file_ << "import " << x.follower << ' ' << x.followee << '\n';
}

void journal_writer::imported(const edge& x) {
  if (enabled_)
    file_ << "edge " << x.follower << ' ' << x.followee << '\n';
}

std::uint64_t journal_writer::tried(const operation& x) {
  if (x.kind == operation_kind::read)
    return 0;
  ++count_;
  if (!enabled_)
    return count_;
  file_ << "try " << count_ << ' ' << to_string(x.kind) << ' ' << x.user;
  if (x.kind != operation_kind::post)
    file_ << ' ' << x.subject;
  file_ << '\n';
  return count_;
}

void journal_writer::ended(std::uint64_t number, ending how,
                           std::uint64_t tweet) {
  if (!enabled_ || number == 0 || how == ending::unknown)
    return;
  file_ << (how == ending::acknowledged ? "ok " : "no ") << number;
  if (tweet != 0)
    file_ << ' ' << tweet;
  file_ << '\n';
}

bool journal_writer::flush() {
  return !enabled_ || static_cast<bool>(file_.flush());
}

std::string read_journal(std::istream& input, journal& target) {
  reader lines{target};
  std::string line;
  for (std::size_t number = 1; std::getline(input, line); ++number) {
    auto words = words_of(line);
    if (input.eof() && !words.empty())
      break; // without an end of line: the writer was killed in it
    if (!words.empty() && !lines.read(words))
      return "line " + std::to_string(number) + ": '" + line.substr(0, 80)
             + "': is not a line of a journal, or not in its place";
  }
  if (input.bad())
    return "cannot be read to its end";
  return {};
}

} // namespace rookery::nodes
