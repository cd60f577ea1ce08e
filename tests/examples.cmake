# The examples' own tests, as their users would run them.
if(TARGET example_job_queue)
  foreach(test worker_test cluster_test)
    add_test(NAME examples.job_queue_${test} COMMAND example_job_queue_${test})
    math(EXPR timeout "${timeout_factor} * 120")
    set_tests_properties(examples.job_queue_${test} PROPERTIES LABELS sim
      TIMEOUT ${timeout} ENVIRONMENT "${ROOKERY_SANITIZE_ENVIRONMENT}")
  endforeach()
endif()
