#include "actors/store/stopped_writer.hpp"

#include <csignal>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <system_error>

namespace rookery::store {

namespace {

// Where SQLite locks the file `-shm` to write: WAL_WRITE_LOCK in its wal.c and
// UNIX_SHM_BASE in its os_unix.c, fixed because versions must work together.
constexpr std::uint64_t write_lock_byte = 120;

// What a line of /proc/locks says, as
// "9: POSIX  ADVISORY  WRITE 4711 08:01:393 120 120".
struct file_lock {
  int process = 0;
  std::uint64_t inode = 0;
  std::uint64_t first = 0;
  std::string last; // "EOF" or a number
};

std::optional<file_lock> parse_write_lock(const std::string& line) {
  std::istringstream in{line};
  std::string number, kind, mode, access, place;
  file_lock result;
  if (!(in >> number >> kind >> mode >> access >> result.process >> place
        >> result.first >> result.last)
      || kind != "POSIX" || access != "WRITE")
    return std::nullopt;
  std::istringstream inode{place.substr(place.rfind(':') + 1)};
  if (!(inode >> result.inode))
    return std::nullopt;
  return result;
}

bool covers(const file_lock& x, std::uint64_t byte) {
  return x.first <= byte && (x.last == "EOF" || std::stoull(x.last) >= byte);
}

bool is_stopped(int process) {
  std::ifstream in{"/proc/" + std::to_string(process) + "/stat"};
  std::string stat;
  std::getline(in, stat);
  // The name of the program stands in brackets, and may hold any character.
  auto end = stat.rfind(')');
  return end != std::string::npos && stat.compare(end, 3, ") T") == 0;
}

// The number of a file is unique on its device only, and not every file system
// tells /proc/locks the device that stat does.
bool has_open(int process, const struct stat& file) {
  std::error_code failure;
  std::filesystem::directory_iterator open{
      "/proc/" + std::to_string(process) + "/fd", failure};
  for (; !failure && open != std::filesystem::directory_iterator{};
       open.increment(failure)) {
    struct stat x {};
    if (::stat(open->path().c_str(), &x) == 0 && x.st_dev == file.st_dev
        && x.st_ino == file.st_ino)
      return true;
  }
  return false;
}

} // namespace

std::optional<int> stopped_writer(const std::filesystem::path& file) {
  // Not asked by F_GETLK: closing the file again would give up the locks that
  // SQLite holds on it in this process.
  struct stat index {};
  if (::stat((file.string() + "-shm").c_str(), &index) != 0)
    return std::nullopt;
  std::ifstream locks{"/proc/locks"};
  for (std::string line; std::getline(locks, line);) {
    auto lock = parse_write_lock(line);
    if (lock && lock->process > 0 && lock->inode == index.st_ino
        && covers(*lock, write_lock_byte) && is_stopped(lock->process)
        && has_open(lock->process, index))
      return lock->process;
  }
  return std::nullopt;
}

bool wake(int process) { return ::kill(process, SIGCONT) == 0; }

} // namespace rookery::store
