// Runs a fuzz target over files, without libFuzzer: the seeds, and every input
// that once showed a fault. Directories stand for the files in them.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size);

namespace {

std::size_t runs = 0;

bool run(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
  if (!in) {
    std::fprintf(stderr, "replay: cannot read %s\n", file.c_str());
    return false;
  }
  // Said before, for a fault ends the program.
  std::printf("%s, %zu bytes\n", file.c_str(), bytes.size());
  std::fflush(stdout);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                         bytes.size());
  ++runs;
  return true;
}

} // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::filesystem::path path{argv[i]};
    if (!std::filesystem::is_directory(path)) {
      if (!run(path))
        return 2;
      continue;
    }
    for (const auto& each : std::filesystem::directory_iterator{path})
      if (!run(each.path()))
        return 2;
  }
  std::printf("replay: %zu inputs\n", runs);
  return runs > 0 ? 0 : 2;
}
