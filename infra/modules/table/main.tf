resource "aws_dynamodb_table" "this" {
  name                        = var.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = var.key
  range_key                   = var.sort
  stream_enabled              = var.stream
  stream_view_type            = var.stream ? "NEW_AND_OLD_IMAGES" : null
  deletion_protection_enabled = var.protected

  # After a loss: made from another table, or from an earlier state of one.
  restore_source_name    = try(var.restore.source, null)
  restore_date_time      = try(var.restore.at, null)
  restore_to_latest_time = var.restore == null ? null : var.restore.at == null ? true : null

  dynamic "attribute" {
    for_each = compact([var.key, var.sort])

    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "ttl" {
    for_each = var.ttl[*]

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }

  # Where it came from matters once: the input can be removed afterwards, and changes no table that exists.
  lifecycle {
    ignore_changes = [restore_date_time, restore_source_name, restore_to_latest_time]
  }
}
