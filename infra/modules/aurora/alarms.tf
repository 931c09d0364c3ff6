locals {
  # Aurora's default of max_connections: 189 per ACU of the maximum capacity, 2000 when it may shrink to half
  # an ACU, and never more than 5000.
  max_connections = min(floor(189 * var.capacity.max), var.capacity.min < 1 ? 2000 : 5000)

  of_cluster = { DBClusterIdentifier = aws_rds_cluster.this.cluster_identifier }
  of_proxy   = { ProxyName = local.name }
}

resource "aws_cloudwatch_metric_alarm" "acu" {
  alarm_name          = "${local.name}-capacity"
  alarm_description   = "The database has used more than 90 % of its maximum capacity for 15 minutes. Raise capacity.max, or find the slow queries."
  namespace           = "AWS/RDS"
  metric_name         = "ACUUtilization"
  dimensions          = local.of_cluster
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 90
  treat_missing_data  = "breaching" # a running database always sends metrics
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "storage" {
  alarm_name          = "${local.name}-storage"
  alarm_description   = "The database holds more than ${var.storage_alarm_gib} GiB. Its storage grows by itself, and so does its cost."
  namespace           = "AWS/RDS"
  metric_name         = "VolumeBytesUsed"
  dimensions          = local.of_cluster
  statistic           = "Maximum"
  period              = 3600 # measured every quarter of an hour or so
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.storage_alarm_gib * 1024 * 1024 * 1024
  treat_missing_data  = "missing"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "connections" {
  alarm_name          = "${local.name}-connections"
  alarm_description   = "More than 80 % of an instance's connections are in use. Functions will soon be refused a connection."
  namespace           = "AWS/RDS"
  metric_name         = "DatabaseConnections"
  dimensions          = local.of_cluster
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = floor(0.8 * local.max_connections)
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}

# Each transaction sets its tenant, which may pin it to a connection. That is expected, and harmless
# until pinned sessions use most of the proxy's connections: then clients wait for each other.
resource "aws_cloudwatch_metric_alarm" "pinned" {
  for_each = local.proxies

  alarm_name          = "${local.name}-pinned"
  alarm_description   = "More than half of the connections that the proxy may open are pinned to one client each and no longer shared."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 50
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns

  metric_query {
    id          = "share"
    label       = "pinned, in percent of those allowed"
    expression  = "100 * pinned / allowed"
    return_data = true
  }

  metric_query {
    id = "pinned"
    metric {
      namespace   = "AWS/RDS"
      metric_name = "DatabaseConnectionsCurrentlySessionPinned"
      dimensions  = local.of_proxy
      stat        = "Maximum"
      period      = 60
    }
  }

  metric_query {
    id = "allowed"
    metric {
      namespace   = "AWS/RDS"
      metric_name = "MaxDatabaseConnectionsAllowed"
      dimensions  = local.of_proxy
      stat        = "Minimum"
      period      = 60
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "borrowing" {
  for_each = local.proxies

  alarm_name          = "${local.name}-borrowing"
  alarm_description   = "Clients wait longer than a second on average for a connection of the proxy."
  namespace           = "AWS/RDS"
  metric_name         = "DatabaseConnectionsBorrowLatency"
  dimensions          = local.of_proxy
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1000000 # microseconds
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}
