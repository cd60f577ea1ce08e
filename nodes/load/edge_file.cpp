#include "nodes/load/edge_file.hpp"

#include "nodes/config/number.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace rookery::nodes {

namespace {

constexpr std::string_view blanks = " \t\r\v\f";

/// Takes the next word off `line`; empty at its end.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  auto word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

/// What is wrong with the line, or nothing. Sets `found` when it has an edge.
std::string read_line(std::string_view line, edge& result, bool& found) {
  line = line.substr(0, line.find('#'));
  auto first = take_word(line);
  auto second = take_word(line);
  found = !first.empty();
  if (!found)
    return {};
  if (second.empty())
    return "expected two users: FOLLOWER FOLLOWEE";
  if (!take_word(line).empty())
    return "expected two users and nothing else";
  for (auto word : {first, second})
    if (!parse_number(word))
      return "'" + std::string{word.substr(0, 40)}
             + "' is not a user: a whole number, 0..18446744073709551615";
  result = {*parse_number(first), *parse_number(second)};
  return {};
}

/// At most 80 printable characters of a line, for a message.
std::string excerpt(std::string_view line) {
  std::string result{line.substr(0, 80)};
  for (auto& c : result)
    if (static_cast<unsigned char>(c) < ' ')
      c = ' ';
  return result.size() < line.size() ? result + "..." : result;
}

} // namespace

bridge::expected<std::vector<edge>, std::string>
read_edges(std::istream& input, const edge_file_options& options) {
  std::vector<edge> result;
  std::string line;
  for (std::size_t number = 1; std::getline(input, line); ++number) {
    edge x;
    auto found = false;
    auto fault = read_line(line, x, found);
    if (fault.empty() && found) {
      result.push_back(x);
      if (options.undirected)
        result.push_back({x.followee, x.follower});
      if (result.size() > options.edges_max)
        fault = "more than " + std::to_string(options.edges_max) + " edges";
    }
    if (!fault.empty())
      return bridge::unexpected{"line " + std::to_string(number) + ": '"
                                + excerpt(line) + "': " + fault};
  }
  if (input.bad())
    return bridge::unexpected{std::string{"cannot be read to its end"}};
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

bridge::expected<std::vector<edge>, std::string>
read_edge_file(const std::string& name, const edge_file_options& options) {
  std::ifstream input{name};
  if (input)
    input.peek(); // a directory opens, but cannot be read
  if (!input && !input.eof())
    return bridge::unexpected{name
                              + ": cannot be read: " + std::strerror(errno)};
  auto result = read_edges(input, options);
  if (!result)
    return bridge::unexpected{name + ": " + result.error()};
  return result;
}

std::vector<actors::user_id> users_of(const std::vector<edge>& edges) {
  std::vector<actors::user_id> result;
  result.reserve(2 * edges.size());
  for (auto& x : edges)
    result.insert(result.end(), {x.follower, x.followee});
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

} // namespace rookery::nodes
