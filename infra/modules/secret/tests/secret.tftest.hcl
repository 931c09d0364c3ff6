# Against an emulator (AWS_ENDPOINT_URL): a provider cannot be mocked where a value is ephemeral.
variables {
  name        = "/dev-shop/token"
  description = "Token that Prometheus sends to /metrics."
}

run "is_encrypted_and_not_in_the_state" {
  assert {
    condition     = aws_ssm_parameter.this.type == "SecureString"
    error_message = "The parameter must be a SecureString."
  }

  assert {
    condition     = aws_ssm_parameter.this.value == null || aws_ssm_parameter.this.value == ""
    error_message = "The state must not contain the value."
  }
}

run "is_generated_again_for_a_new_edition" {
  variables {
    edition = 2
  }

  assert {
    condition     = aws_ssm_parameter.this.version == 2
    error_message = "A new edition must be written again."
  }
}

run "refuses_short_secrets_and_wrong_names" {
  command = plan

  variables {
    name    = "token"
    length  = 8
    edition = 0
  }

  expect_failures = [var.name, var.length, var.edition]
}
