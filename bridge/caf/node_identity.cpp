#include "bridge/caf/node_identity.hpp"

#include "bridge/assert.hpp"
#include "bridge/percent.hpp"

#include <caf/node_id.hpp>
#include <caf/uri.hpp>

#include <random>
#include <string>

// CAF 0.17.6 declares this class, makes it a friend of actor_system and defines
// it nowhere: the only way to set a node id without libcaf_io, which would
// bring a thread and ids that collide in containers. It clashes with the
// incubator's libcaf_net, which no distribution ships. CAF 1.x needs another.
namespace caf::net {

class middleman {
public:
  static void set_node(actor_system& system, node_id id) {
    system.node_ = std::move(id);
  }
};

} // namespace caf::net

namespace rookery::bridge {

void give_identity(caf::actor_system& system, std::string_view name) {
  std::random_device source;
  std::string text = "rookery:";
  percent_encode(name, text);
  text += '/' + std::to_string(source()) + '-' + std::to_string(source());
  auto uri = caf::make_uri(text);
  ROOKERY_ASSERT(uri);
  caf::net::middleman::set_node(system, caf::make_node_id(std::move(*uri)));
}

} // namespace rookery::bridge
