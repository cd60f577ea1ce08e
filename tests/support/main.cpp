// The test runner of every test program. Catch2 v2 makes its main here, once,
// because that costs seconds of compile time; v3 brings its own.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
