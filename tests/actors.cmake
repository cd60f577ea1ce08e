rookery_test(actors proxy_test rookery::bridge rookery::proto_service)
rookery_test(actors served_address_test rookery::bridge rookery::proto_service)
rookery_test(actors follower_test rookery::follower)
rookery_test(actors tweet_test rookery::tweet)
