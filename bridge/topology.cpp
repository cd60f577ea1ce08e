#include "bridge/topology.hpp"

namespace rookery::bridge {

namespace {

struct describe {
  std::string operator()(const queue_declaration& x) const {
    return "queue " + x.name;
  }
  std::string operator()(const exchange_declaration& x) const {
    return "exchange " + x.name;
  }
  std::string operator()(const binding_declaration& x) const {
    return "binding " + x.exchange + " -> " + x.queue;
  }
};

} // namespace

std::string to_string(const declaration& x) {
  return std::visit(describe{}, x);
}

} // namespace rookery::bridge
