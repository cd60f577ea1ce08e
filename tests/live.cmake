rookery_test(live bridge_test rookery::bridge rookery::broker rookery::proto_service)
rookery_test(live bridge_spill_test rookery::bridge rookery::broker rookery::proto_service)
rookery_test(live bridge_cut_test rookery::bridge rookery::broker rookery::proto_service)
rookery_test(live bridge_clock_test rookery::bridge rookery::broker rookery::proto_service)
rookery_test(live service_client_test rookery::client rookery::broker)
rookery_test(live system_config_test rookery::bridge)
rookery_test(live broker_server_test rookery::broker)
foreach(unit frames messages reconnect)
  rookery_test(live raw_${unit}_test rookery::bridge rookery::broker rookery::proto_service)
endforeach()
rookery_test(live raw_parked_test rookery::bridge rookery::broker rookery::parked rookery::proto_service)
if(TARGET example_ping)
  rookery_live_test(ping_pong ping_pong_test.cpp LIBRARIES rookery::broker
    PROGRAMS example_ping example_pong)
endif()
rookery_live_test(node node_test.py PROGRAMS rookery_binary)
rookery_live_test(service service_test.py PROGRAMS rookery_binary TIMEOUT 240)
rookery_live_test(lease lease_test.py PROGRAMS rookery_binary TIMEOUT 240)
add_executable(poisoned_node live/poisoned_node.cpp)
rookery_warnings(poisoned_node)
rookery_pch(poisoned_node)
target_include_directories(poisoned_node PRIVATE "${PROJECT_SOURCE_DIR}")
target_link_libraries(poisoned_node PRIVATE rookery::program rookery::proto_service)
rookery_live_test(dlq dlq_test.py PROGRAMS rookery_binary poisoned_node TIMEOUT 240)
rookery_live_test(dlq_rabbitmq dlq_test.py PROGRAMS rookery_binary poisoned_node RABBITMQ
  TIMEOUT 240)
# Samples and Demo are left out: the embedded broker is part of them.
rookery_live_test(service_rabbitmq service_test.py PROGRAMS rookery_binary RABBITMQ
  TIMEOUT 240 ARGUMENTS OneProcess Clients Agreement Proven Survival)
rookery_live_test(rhea foreign_test.py PROGRAMS rookery_binary
  TIMEOUT 240 ARGUMENTS Rhea)
rookery_live_test(rhea_rabbitmq foreign_test.py PROGRAMS rookery_binary RABBITMQ
  TIMEOUT 240 ARGUMENTS Rhea)
rookery_live_test(python_proton foreign_test.py PROGRAMS rookery_binary
  TIMEOUT 240 ARGUMENTS PythonProton)
rookery_live_test(python_proton_rabbitmq foreign_test.py PROGRAMS rookery_binary RABBITMQ
  TIMEOUT 240 ARGUMENTS PythonProton)
if(TARGET example_job_queue)
  rookery_live_test(job_queue job_queue_test.py PROGRAMS example_job_queue)
endif()
if(ROOKERY_INSTALL AND NOT ROOKERY_SANITIZE)
  rookery_live_test(install install_test.py TIMEOUT 400
    ARGUMENTS "${CMAKE_COMMAND}" "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}")
endif()
