rookery_test(live bridge_test rookery::bridge rookery::broker rookery::proto_service)
