mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/one" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/one/1", dns_name = "one.us-east-1.elb.amazonaws.com" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/one/1" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::files" }
  }
  mock_resource "aws_cloudformation_stack" {
    defaults = { outputs = { Arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:admin" } }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:monitoring" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/one:1" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { id = "arn:aws:ecs:us-east-1:123456789012:cluster/one" }
  }
}

variables {
  prefix                  = "dev-pulsequeue"
  files                   = "./tests/files"
  metrics_host            = "abcd1234.execute-api.us-east-1.amazonaws.com"
  metrics_token_parameter = "/dev-pulsequeue/metrics-token"
  network = {
    vpc_id                      = "vpc-1"
    task_subnet_ids             = ["subnet-1"]
    load_balancer_subnet_ids    = ["subnet-1", "subnet-2"]
    endpoints_security_group_id = "sg-endpoints"
  }
  alarms          = { topic_arn = "arn:aws:sns:us-east-1:123456789012:dev-pulsequeue-alarms", key_arn = "arn:aws:kms:us-east-1:123456789012:key/1" }
  reach           = { cidrs = ["203.0.113.0/24"] }
  hostname        = "grafana.example.com"
  certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"
}

run "admits_listed_addresses_by_tls_only" {
  variables {
    reach = { internal = false, cidrs = ["203.0.113.0/24", "2001:db8::/32"] }
  }

  assert {
    condition     = { for cidr, rule in aws_vpc_security_group_ingress_rule.visitors : cidr => coalesce(rule.cidr_ipv4, rule.cidr_ipv6) } == { "2001:db8::/32" = "2001:db8::/32", "203.0.113.0/24" = "203.0.113.0/24" } && alltrue([for rule in aws_vpc_security_group_ingress_rule.visitors : rule.from_port == 443 && rule.to_port == 443])
    error_message = "The load balancer admits other addresses or ports."
  }

  assert {
    condition     = aws_lb_listener.https.protocol == "HTTPS" && aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06" && aws_lb_listener.https.certificate_arn == var.certificate_arn && !aws_lb.this.internal
    error_message = "Grafana accepts connections without TLS."
  }
}

run "is_internal_by_default" {
  assert {
    condition     = aws_lb.this.internal && aws_lb.this.enable_deletion_protection
    error_message = "The load balancer is public or not protected."
  }
}

run "the_task_admits_the_load_balancer_only_and_prometheus_listens_locally" {
  assert {
    condition     = aws_vpc_security_group_ingress_rule.task_from_load_balancer.referenced_security_group_id == aws_security_group.load_balancer.id && aws_vpc_security_group_ingress_rule.task_from_load_balancer.to_port == 3000
    error_message = "The task admits other callers."
  }

  assert {
    condition = flatten([
      for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : [for port in try(container.portMappings, []) : "${container.name} ${port.containerPort}"]
    ]) == ["grafana 3000"]
    error_message = "The task exposes more than Grafana."
  }

  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[1].command, "--web.listen-address=127.0.0.1:9090")
    error_message = "Prometheus accepts connections from outside the task."
  }
}

run "secrets_come_from_secrets_manager_and_ssm_only" {
  assert {
    condition = {
      for secret in flatten([for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : try(container.secrets, [])]) : secret.name => secret.valueFrom
      } == {
      GF_SECURITY_ADMIN_PASSWORD = "arn:aws:secretsmanager:us-east-1:123456789012:secret:admin"
      TOKEN                      = "arn:aws:ssm:us-east-1:123456789012:parameter/dev-pulsequeue/metrics-token"
    }
    error_message = "A secret has another source."
  }

  assert {
    condition     = jsondecode(aws_cloudformation_stack.password.template_body).Resources.Password.Properties.GenerateSecretString.PasswordLength == 32
    error_message = "Secrets Manager does not generate the password."
  }
}

run "the_endpoints_of_its_secrets_admit_the_task" {
  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints_from_task.security_group_id == "sg-endpoints" && aws_vpc_security_group_ingress_rule.endpoints_from_task.referenced_security_group_id == aws_security_group.task.id && aws_vpc_security_group_ingress_rule.endpoints_from_task.from_port == 443 && aws_vpc_security_group_ingress_rule.endpoints_from_task.to_port == 443
    error_message = "The task cannot fetch its secrets, and does not start."
  }
}

run "prometheus_and_grafana_start_after_their_files_are_copied" {
  assert {
    condition     = alltrue([for container in slice(jsondecode(aws_ecs_task_definition.this.container_definitions), 1, 4) : container.essential && container.dependsOn == [{ condition = "SUCCESS", containerName = "settings" }]])
    error_message = "A container starts without its files."
  }

  assert {
    condition     = alltrue([for file in ["prometheus/prometheus.yml", "prometheus/rules/slo.yml", "grafana/overview.json", "grafana/provisioning/dashboards/pulsequeue.yml"] : contains(keys(aws_s3_object.file), file)])
    error_message = "A required file is not uploaded."
  }

  assert {
    condition     = alltrue([for file, object in aws_s3_object.file : !strcontains(file, "scrape/") && !strcontains(file, "secrets/")])
    error_message = "A token of this machine is uploaded."
  }
}

run "grafana_queries_the_prometheus_of_its_task" {
  assert {
    condition     = strcontains(aws_s3_object.file["grafana/provisioning/datasources/prometheus.yml"].content, "url: http://localhost:9090")
    error_message = "Grafana's data source is not the Prometheus of the task."
  }
}

run "refuses_a_data_source_of_another_prometheus" {
  command = plan

  variables {
    files = "./tests/elsewhere"
  }

  expect_failures = [aws_s3_object.file]
}

run "scrapes_its_own_environment_by_https" {
  assert {
    condition = yamldecode(one([
      for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : variable.value if variable.name == "TARGET"
      ]))[0] == {
      targets = ["abcd1234.execute-api.us-east-1.amazonaws.com"]
      labels  = { environment = "dev", __scheme__ = "https", __metrics_path__ = "/metrics" }
    }
    error_message = "Prometheus scrapes another target."
  }
}

run "the_containers_may_read_their_files_and_publish_alerts_only" {
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.task.policy).Statement : statement.Sid => statement.Resource } == {
      List                 = "arn:aws:s3:::files"
      Read                 = "arn:aws:s3:::files/*"
      Notify               = var.alarms.topic_arn
      EncryptNotifications = var.alarms.key_arn
    }
    error_message = "The containers have permissions on other resources."
  }

  assert {
    condition     = flatten([for statement in jsondecode(aws_iam_role_policy.task.policy).Statement : statement.Action]) == ["s3:ListBucket", "s3:GetObject", "sns:Publish", "kms:Decrypt", "kms:GenerateDataKey"]
    error_message = "The containers have more permissions."
  }
}

run "alerts_of_prometheus_are_published_to_the_topic" {
  assert {
    condition = {
      for receiver in yamldecode(local.alertmanager_on_aws).receivers : receiver.name => try(receiver.sns_configs[0].topic_arn, "")
    } == { nobody = "", page = var.alarms.topic_arn, ticket = var.alarms.topic_arn }
    error_message = "A receiver is missing, does not publish to the topic, or notifies of local stacks."
  }

  assert {
    condition     = yamldecode(local.alertmanager_on_aws).route == local.alertmanager.route && !strcontains(local.alertmanager_on_aws, "slack")
    error_message = "The routes differ from those of this machine, or Slack's settings are left in."
  }

  assert {
    condition     = one([for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : variable.value if variable.name == "ALERTMANAGER"]) == local.alertmanager_on_aws && strcontains(local.settle_in, "localhost:9093")
    error_message = "Prometheus or Alertmanager does not get its settings."
  }

  assert {
    condition     = one([for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : container if container.name == "alertmanager"]).dependsOn == [{ condition = "SUCCESS", containerName = "settings" }]
    error_message = "Alertmanager starts without its settings."
  }
}

run "a_task_that_is_gone_raises_an_alarm" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.down.metric_name == "HealthyHostCount" && aws_cloudwatch_metric_alarm.down.comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.down.treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.down.alarm_actions == toset([var.alarms.topic_arn])
    error_message = "Nobody is told that Prometheus is down."
  }
}

run "images_are_pinned" {
  assert {
    condition     = alltrue([for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : !endswith(container.image, ":latest") && strcontains(container.image, ":")])
    error_message = "An image is not pinned."
  }
}

run "the_instructions_name_every_step" {
  assert {
    condition     = output.grafana_url == "https://grafana.example.com" && alltrue([for word in ["one.us-east-1.elb.amazonaws.com", "203.0.113.0/24", "https://grafana.example.com", "dev-pulsequeue-monitoring-admin"] : strcontains(output.grafana_access_instructions, word)])
    error_message = "The instructions lack a step."
  }
}

run "refuses_the_whole_internet" {
  command = plan

  variables {
    reach = { internal = false, cidrs = ["0.0.0.0/0"] }
  }

  expect_failures = [var.reach]
}

run "refuses_the_internet_in_two_halves_and_in_ipv6" {
  command = plan

  variables {
    reach = { cidrs = ["0.0.0.0/1", "128.0.0.0/1", "::/0"] }
  }

  expect_failures = [var.reach]
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    prefix                  = "dev"
    metrics_host            = "https://abcd1234.example.com/metrics"
    metrics_token_parameter = "metrics-token"
    network                 = { vpc_id = "vpc-1", task_subnet_ids = ["subnet-1"], load_balancer_subnet_ids = ["subnet-1"], endpoints_security_group_id = "sg-endpoints" }
    hostname                = "grafana"
    certificate_arn         = "none"
    images                  = { grafana = "grafana/grafana:latest" }
    size                    = { cpu = 300 }
    log_days                = 8
  }

  expect_failures = [
    var.prefix, var.metrics_host, var.metrics_token_parameter, var.network, var.hostname, var.certificate_arn,
    var.images, var.size, var.log_days,
  ]
}

run "alerts_lead_to_the_runbooks_of_this_repository" {
  variables {
    runbooks_url = "https://github.com/acme/pulsequeue/blob/main/docs/runbooks"
  }

  assert {
    condition     = strcontains(aws_s3_object.file["prometheus/rules/slo.yml"].content, "https://github.com/acme/pulsequeue/blob/main/docs/runbooks/orders-not-settled.md") && strcontains(aws_cloudwatch_metric_alarm.down.alarm_description, "blob/main/docs/runbooks/monitoring-down.md")
    error_message = "An alert links to another place."
  }
}
