#pragma once

#include <memory>

namespace rookery::broker {

class consumer;
class exchange;
class exchange_table;
class queue;
class route;
class run_list;
class virtual_host;
struct event;

/// The shell keeps it in its link; it outlives the queue harmlessly.
using consumer_ptr = std::shared_ptr<consumer>;

} // namespace rookery::broker
