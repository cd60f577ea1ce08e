rookery_test(live bridge_test rookery::bridge rookery::broker rookery::proto_service)
rookery_test(live bridge_cut_test rookery::bridge rookery::broker rookery::proto_service)
rookery_test(live broker_server_test rookery::broker)
if(TARGET example_ping)
  rookery_live_test(ping_pong ping_pong_test.cpp LIBRARIES rookery::broker
    PROGRAMS example_ping example_pong)
endif()
rookery_live_test(node node_test.py PROGRAMS rookery_binary)
rookery_live_test(service service_test.py PROGRAMS rookery_binary TIMEOUT 240)
