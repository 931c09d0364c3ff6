mock_provider "aws" {}

variables {
  name = "dev-shop-orders"
  key  = "pk"
}

run "is_encrypted_recoverable_and_protected_by_default" {
  command = plan

  assert {
    condition     = one(aws_dynamodb_table.this.server_side_encryption).enabled && one(aws_dynamodb_table.this.point_in_time_recovery).enabled && aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "The table must be encrypted, recoverable and protected."
  }
}

run "is_billed_per_request" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST"
    error_message = "The table must be billed per request."
  }
}

run "items_expire_only_if_configured" {
  command = plan

  variables {
    ttl = "expiresAt"
  }

  assert {
    condition     = one(aws_dynamodb_table.this.ttl).attribute_name == "expiresAt" && one(aws_dynamodb_table.this.ttl).enabled
    error_message = "Items must expire by the configured attribute."
  }
}

run "refuses_wrong_names" {
  command = plan

  variables {
    name        = "a table"
    key         = ""
    kms_key_arn = "alias/mine"
  }

  expect_failures = [var.name, var.key, var.kms_key_arn]
}
