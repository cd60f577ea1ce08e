rookery_test(link client_test rookery::amqp)
rookery_test(link broker_publish_consume_test rookery::broker)
rookery_test(link broker_outcome_test rookery::broker)
