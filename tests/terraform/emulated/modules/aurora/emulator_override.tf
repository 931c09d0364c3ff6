# The emulator does not return these two attributes, and setting them again takes the provider half a minute each.

resource "aws_rds_cluster" "this" {
  lifecycle {
    ignore_changes = [enabled_cloudwatch_logs_exports]
  }
}

resource "aws_rds_cluster_instance" "this" {
  lifecycle {
    ignore_changes = [performance_insights_kms_key_id]
  }
}
