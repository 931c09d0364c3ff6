locals {
  # What Aurora allows itself by default: 189 connections for each ACU of its most, 2000 when it may shrink to half
  # an ACU, and 5000 in any case.
  max_connections = min(floor(189 * var.capacity.max), var.capacity.min < 1 ? 2000 : 5000)

  of_cluster = { DBClusterIdentifier = aws_rds_cluster.this.cluster_identifier }
  of_proxy   = { ProxyName = local.name }
}

resource "aws_cloudwatch_metric_alarm" "acu" {
  alarm_name          = "${local.name}-capacity"
  alarm_description   = "The database has used more than 90 % of the capacity it may grow to for a quarter of an hour. Raise its most, or find what is slow."
  namespace           = "AWS/RDS"
  metric_name         = "ACUUtilization"
  dimensions          = local.of_cluster
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 90
  treat_missing_data  = "breaching" # a database that runs measures itself
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "storage" {
  alarm_name          = "${local.name}-storage"
  alarm_description   = "The database holds more than ${var.storage_alarm_gib} GiB. It grows by itself, and so does its bill."
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
  alarm_description   = "More than 80 % of the connections that an instance allows are taken. The next function to ask will be refused."
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

# Every transaction of ours says whose rows it is about, and may be pinned for it. That is expected, and harmless
# until pinned sessions take most of what the proxy may open: then processes wait for each other.
resource "aws_cloudwatch_metric_alarm" "pinned" {
  for_each = local.proxies

  alarm_name          = "${local.name}-pinned"
  alarm_description   = "More than half of the connections that the proxy may open are pinned to one client each: it no longer shares them."
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
  alarm_description   = "Clients wait on average longer than a second for the proxy to lend them a connection."
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
