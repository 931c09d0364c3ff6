# Alerts of Prometheus reach people by the topic that CloudWatch's alarms use. Routes and inhibitions are those of
# monitoring/alertmanager/alertmanager.yml; only the receivers differ.
locals {
  alertmanager = yamldecode(file("${var.files}/alertmanager/alertmanager.yml"))

  # SNS takes 100 characters of a subject, and no line breaks.
  notification = {
    topic_arn     = var.alarms.topic_arn
    sigv4         = { region = local.region }
    send_resolved = true
    subject       = "{{ .Status | toUpper }} {{ .CommonLabels.environment }}: {{ .CommonLabels.alertname }}"
    message       = "{{ range .Alerts }}{{ .Annotations.summary }} {{ .Annotations.description }}\n{{ end }}{{ .CommonAnnotations.runbook_url }}"
    attributes    = { state = "{{ .Status }}" }
  }

  alertmanager_on_aws = yamlencode({
    route         = local.alertmanager.route
    inhibit_rules = local.alertmanager.inhibit_rules
    receivers = concat(
      [for it in local.alertmanager.receivers : { name = it.name } if length(keys(it)) == 1],
      [for it in local.alertmanager.receivers : { name = it.name, sns_configs = [local.notification] } if length(keys(it)) > 1],
    )
  })
}

# Grafana answers in the same task as Prometheus and Alertmanager; a container that stops, stops the task.
resource "aws_cloudwatch_metric_alarm" "down" {
  alarm_name        = "${local.name}-down"
  alarm_description = "No task of ${local.name} has been healthy for ten minutes: nobody evaluates the rules of Prometheus (${var.runbooks_url}/monitoring-down.md)."

  namespace           = "AWS/ApplicationELB"
  metric_name         = "HealthyHostCount"
  dimensions          = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.grafana.arn_suffix }
  statistic           = "Maximum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 10
  treat_missing_data  = "breaching" # a load balancer without targets sends no metrics

  alarm_actions = [var.alarms.topic_arn]
  ok_actions    = [var.alarms.topic_arn]
}
