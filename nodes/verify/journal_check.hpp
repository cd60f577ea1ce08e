#pragma once

#include "nodes/load/journal.hpp"
#include "nodes/verify/oracle_store.hpp"
#include "nodes/verify/verdict.hpp"

#include <string>

namespace rookery::nodes {

/// Holds the store to what clients were told: everything acknowledged is
/// there (missing), and nothing is there that nobody asked for (mismatches).
/// What ended unknown may be there or not. The graph must be loaded.
/// @param complete the journal has all changes the store ever saw; without it
/// nothing is a mismatch
/// @returns why the store could not be read, else empty
[[nodiscard]] std::string check_journal(const journal& told, bool complete,
                                        oracle_store& store, verdict& result);

} // namespace rookery::nodes
