mock_provider "aws" {}

variables {
  name = "dev-shop-orders"
  key  = "pk"
}

run "is_encrypted_recoverable_and_protected_unless_told" {
  command = plan

  assert {
    condition     = one(aws_dynamodb_table.this.server_side_encryption).enabled && one(aws_dynamodb_table.this.point_in_time_recovery).enabled && aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "Encrypted, recoverable, protected."
  }
}

run "costs_nothing_while_nobody_asks" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST"
    error_message = "Paid by request."
  }
}

run "forgets_only_where_told" {
  command = plan

  variables {
    ttl = "expiresAt"
  }

  assert {
    condition     = one(aws_dynamodb_table.this.ttl).attribute_name == "expiresAt" && one(aws_dynamodb_table.this.ttl).enabled
    error_message = "Items end by the attribute that is named."
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
