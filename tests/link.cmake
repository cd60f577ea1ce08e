rookery_test(link client_test rookery::amqp)
