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
  reach           = { cidrs = ["203.0.113.0/24"] }
  hostname        = "grafana.example.com"
  certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"
}

run "listed_addresses_alone_come_in_and_by_tls_alone" {
  variables {
    reach = { internal = false, cidrs = ["203.0.113.0/24", "2001:db8::/32"] }
  }

  assert {
    condition     = { for cidr, rule in aws_vpc_security_group_ingress_rule.visitors : cidr => coalesce(rule.cidr_ipv4, rule.cidr_ipv6) } == { "2001:db8::/32" = "2001:db8::/32", "203.0.113.0/24" = "203.0.113.0/24" } && alltrue([for rule in aws_vpc_security_group_ingress_rule.visitors : rule.from_port == 443 && rule.to_port == 443])
    error_message = "Others come in, or by another port."
  }

  assert {
    condition     = aws_lb_listener.https.protocol == "HTTPS" && aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06" && aws_lb_listener.https.certificate_arn == var.certificate_arn && !aws_lb.this.internal
    error_message = "Grafana is reached without TLS."
  }
}

run "it_is_inside_the_network_unless_said_otherwise" {
  assert {
    condition     = aws_lb.this.internal && aws_lb.this.enable_deletion_protection
    error_message = "The internet sees the load balancer, or it can be deleted."
  }
}

run "the_task_is_reached_by_the_load_balancer_alone_and_prometheus_by_nobody" {
  assert {
    condition     = aws_vpc_security_group_ingress_rule.task_from_load_balancer.referenced_security_group_id == aws_security_group.load_balancer.id && aws_vpc_security_group_ingress_rule.task_from_load_balancer.to_port == 3000
    error_message = "Others reach the task."
  }

  assert {
    condition = flatten([
      for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : [for port in try(container.portMappings, []) : "${container.name} ${port.containerPort}"]
    ]) == ["grafana 3000"]
    error_message = "More than Grafana can be reached."
  }

  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[1].command, "--web.listen-address=127.0.0.1:9090")
    error_message = "Prometheus listens to others."
  }
}

run "secrets_come_from_where_they_are_kept_and_stand_nowhere" {
  assert {
    condition = {
      for secret in flatten([for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : try(container.secrets, [])]) : secret.name => secret.valueFrom
      } == {
      GF_SECURITY_ADMIN_PASSWORD = "arn:aws:secretsmanager:us-east-1:123456789012:secret:admin"
      TOKEN                      = "arn:aws:ssm:us-east-1:123456789012:parameter/dev-pulsequeue/metrics-token"
    }
    error_message = "A secret comes from elsewhere."
  }

  assert {
    condition     = jsondecode(aws_cloudformation_stack.password.template_body).Resources.Password.Properties.GenerateSecretString.PasswordLength == 32
    error_message = "The password is not made up by Secrets Manager."
  }
}

run "the_task_is_let_into_the_endpoints_that_its_secrets_come_from" {
  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints_from_task.security_group_id == "sg-endpoints" && aws_vpc_security_group_ingress_rule.endpoints_from_task.referenced_security_group_id == aws_security_group.task.id && aws_vpc_security_group_ingress_rule.endpoints_from_task.from_port == 443 && aws_vpc_security_group_ingress_rule.endpoints_from_task.to_port == 443
    error_message = "The task cannot fetch its secrets, and does not start."
  }
}

run "prometheus_and_grafana_begin_when_their_files_are_there" {
  assert {
    condition     = alltrue([for container in slice(jsondecode(aws_ecs_task_definition.this.container_definitions), 1, 3) : container.essential && container.dependsOn == [{ condition = "SUCCESS", containerName = "settings" }]])
    error_message = "One of them begins without its files."
  }

  assert {
    condition     = alltrue([for file in ["prometheus/prometheus.yml", "prometheus/rules/slo.yml", "grafana/overview.json", "grafana/provisioning/dashboards/pulsequeue.yml"] : contains(keys(aws_s3_object.file), file)])
    error_message = "A file that they read is not handed over."
  }

  assert {
    condition     = alltrue([for file, object in aws_s3_object.file : !strcontains(file, "scrape/") && !strcontains(file, "secrets/")])
    error_message = "A token of this machine is handed over."
  }
}

run "grafana_asks_the_prometheus_beside_it" {
  assert {
    condition     = strcontains(aws_s3_object.file["grafana/provisioning/datasources/prometheus.yml"].content, "url: http://localhost:9090")
    error_message = "Grafana asks a Prometheus that is not there."
  }
}

run "a_grafana_that_would_ask_another_prometheus_is_refused" {
  command = plan

  variables {
    files = "./tests/elsewhere"
  }

  expect_failures = [aws_s3_object.file]
}

run "the_target_is_the_environments_own_by_https" {
  assert {
    condition = yamldecode(one([
      for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : variable.value if variable.name == "TARGET"
      ]))[0] == {
      targets = ["abcd1234.execute-api.us-east-1.amazonaws.com"]
      labels  = { environment = "dev", __scheme__ = "https", __metrics_path__ = "/metrics" }
    }
    error_message = "Prometheus scrapes something else."
  }
}

run "the_containers_may_read_their_files_and_nothing_else" {
  assert {
    condition     = flatten([for statement in jsondecode(aws_iam_role_policy.task.policy).Statement : statement.Action]) == ["s3:ListBucket", "s3:GetObject"] && alltrue([for statement in jsondecode(aws_iam_role_policy.task.policy).Statement : startswith(statement.Resource, "arn:aws:s3:::files")])
    error_message = "The containers may do more."
  }
}

run "images_are_pinned" {
  assert {
    condition     = alltrue([for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : !endswith(container.image, ":latest") && strcontains(container.image, ":")])
    error_message = "An image may change under its name."
  }
}

run "the_instructions_name_every_step" {
  assert {
    condition     = output.grafana_url == "https://grafana.example.com" && alltrue([for word in ["one.us-east-1.elb.amazonaws.com", "203.0.113.0/24", "https://grafana.example.com", "dev-pulsequeue-monitoring-admin"] : strcontains(output.grafana_access_instructions, word)])
    error_message = "A step is missing."
  }
}

run "the_whole_internet_is_refused" {
  command = plan

  variables {
    reach = { internal = false, cidrs = ["0.0.0.0/0"] }
  }

  expect_failures = [var.reach]
}

run "so_it_is_in_two_halves_and_in_ipv6" {
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
