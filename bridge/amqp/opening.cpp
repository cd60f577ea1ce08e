#include "bridge/amqp/opening.hpp"

#include "bridge/amqp/proton_data.hpp"

#include <proton/connection.h>
#include <proton/connection_driver.h>
#include <proton/sasl.h>
#include <proton/transport.h>

namespace rookery::amqp {

void put_opening(pn_connection_driver_t& driver, engine::side role,
                 const engine_options& options) {
  auto* connection = driver.connection;
  auto* transport = driver.transport;
  pn_connection_set_container(connection, options.container_id.c_str());
  put_properties(pn_connection_properties(connection), options.properties);
  put_symbols(pn_connection_offered_capabilities(connection),
              options.offered_capabilities);
  pn_transport_set_max_frame(transport, options.frame_bytes_max);
  pn_transport_set_channel_max(
      transport, static_cast<std::uint16_t>(options.sessions_max - 1));
  pn_transport_set_idle_timeout(
      transport, static_cast<pn_millis_t>(options.idle_timeout.count()));
  if (role == engine::side::server) {
    pn_transport_set_server(transport);
    pn_sasl_allowed_mechs(pn_sasl(transport), "ANONYMOUS");
    pn_transport_require_auth(transport, false);
  } else {
    pn_connection_set_hostname(connection, options.hostname.c_str());
    put_login(connection, pn_sasl(transport), options.user, options.password);
    pn_connection_open(connection);
  }
}

peer_info get_opening(const pn_connection_driver_t& driver) {
  auto* connection = driver.connection;
  return {
      from_pn(pn_connection_remote_container(connection)),
      from_pn(pn_connection_remote_hostname(connection)),
      get_properties(pn_connection_remote_properties(connection)),
      get_symbols(pn_connection_remote_offered_capabilities(connection)),
      std::chrono::milliseconds{
          pn_transport_get_remote_idle_timeout(driver.transport)},
  };
}

} // namespace rookery::amqp
