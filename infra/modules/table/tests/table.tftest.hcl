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

run "is_made_from_an_earlier_state_of_another_table" {
  command = plan

  variables {
    restore = { source = "prod-shop-orders", at = "2026-01-31T12:00:00Z" }
  }

  assert {
    condition     = aws_dynamodb_table.this.restore_source_name == "prod-shop-orders" && aws_dynamodb_table.this.restore_date_time == "2026-01-31T12:00:00Z"
    error_message = "The table must be restored to that time."
  }
}

run "without_a_time_the_latest_state_is_restored" {
  command = plan

  variables {
    restore = { source = "prod-shop-orders" }
  }

  assert {
    condition     = aws_dynamodb_table.this.restore_to_latest_time
    error_message = "The latest state must be restored."
  }
}

run "refuses_a_time_and_a_source_that_cannot_be" {
  command = plan

  variables {
    name    = "prod-shop-orders"
    restore = { source = "prod-shop-orders", at = "yesterday" }
  }

  expect_failures = [var.restore]
}
