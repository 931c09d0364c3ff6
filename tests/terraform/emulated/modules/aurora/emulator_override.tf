# The emulator does not return these attributes, and setting two of them again takes the provider half a minute each.

resource "aws_rds_cluster" "this" {
  lifecycle {
    ignore_changes = [
      enabled_cloudwatch_logs_exports, restore_to_point_in_time, serverlessv2_scaling_configuration[0].seconds_until_auto_pause, snapshot_identifier,
    ]
  }
}

resource "aws_rds_cluster_instance" "this" {
  lifecycle {
    ignore_changes = [performance_insights_kms_key_id]
  }
}
