rookery_test(live bridge_test rookery::bridge rookery::broker rookery::proto_service)
rookery_test(live broker_server_test rookery::broker)
