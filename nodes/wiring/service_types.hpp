#pragma once

#include "bridge/type_registry.hpp"

namespace rookery::nodes {

/// Every message of the service, for the bridge of a node or a client.
[[nodiscard]] bridge::type_registry service_types();

} // namespace rookery::nodes
