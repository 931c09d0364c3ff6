locals {
  # One volume for each of them, on the task's own disk: encrypted by Fargate, deleted with the task.
  prometheus_folder   = "/prometheus"
  alertmanager_folder = "/alertmanager"
  grafana_folder      = "/var/lib/grafana"
  settings_folder     = "/settings"

  # The scrape target and its token, which no file contains.
  target = yamlencode([{
    targets = [var.metrics_host]
    labels  = { environment = local.env, __scheme__ = "https", __metrics_path__ = "/metrics" }
  }])

  settle_in = <<-SH
    set -eu
    aws s3 cp --recursive --only-show-errors "s3://$BUCKET" ${local.settings_folder}
    mkdir -p ${local.settings_folder}/prometheus/scrape ${local.grafana_folder}/dashboards
    printf %s "$TARGET" > ${local.settings_folder}/prometheus/scrape/pulsequeue.yml
    printf '[{targets: ["localhost:9093"]}]' > ${local.settings_folder}/prometheus/scrape/alertmanager.yml
    printf %s "$ALERTMANAGER" > ${local.settings_folder}/alertmanager.yml
    (umask 077 && printf %s "$TOKEN" > ${local.settings_folder}/prometheus/scrape/token)
    cp ${local.settings_folder}/grafana/*.json ${local.grafana_folder}/dashboards
    chown -R 65534:65534 ${local.settings_folder}/prometheus ${local.prometheus_folder} ${local.alertmanager_folder}
    chown -R 472:0 ${local.grafana_folder}
  SH

  token_parameter_arn = "${local.arn_root}:ssm:${local.region}:${local.account}:parameter${var.metrics_token_parameter}"

  log_to = {
    for container in ["settings", "prometheus", "alertmanager", "grafana"] : container => {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = local.region
        awslogs-stream-prefix = container
      }
    }
  }

  mounted = {
    settings     = { sourceVolume = "settings", containerPath = local.settings_folder }
    prometheus   = { sourceVolume = "prometheus", containerPath = local.prometheus_folder }
    grafana      = { sourceVolume = "grafana", containerPath = local.grafana_folder }
    alertmanager = { sourceVolume = "alertmanager", containerPath = local.alertmanager_folder }
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.size.cpu
  memory                   = var.size.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  ephemeral_storage {
    size_in_gib = var.size.disk
  }

  dynamic "volume" {
    for_each = local.mounted

    content {
      name = volume.key
    }
  }

  container_definitions = jsonencode([
    {
      name       = "settings"
      image      = var.images.aws_cli
      essential  = false # it exits when the others may start
      entryPoint = ["/bin/sh", "-c"]
      command    = [local.settle_in]
      environment = [
        { name = "BUCKET", value = module.files.name },
        { name = "TARGET", value = local.target },
        { name = "ALERTMANAGER", value = local.alertmanager_on_aws },
        { name = "FILES_DIGEST", value = local.files_digest },
      ]
      secrets          = [{ name = "TOKEN", valueFrom = local.token_parameter_arn }]
      mountPoints      = values(local.mounted)
      logConfiguration = local.log_to["settings"]
    },
    {
      name      = "prometheus"
      image     = var.images.prometheus
      essential = true
      user      = "65534:65534"
      command = [
        "--config.file=${local.settings_folder}/prometheus/prometheus.yml",
        "--storage.tsdb.path=${local.prometheus_folder}",
        "--storage.tsdb.retention.time=30d",
        # Older data is deleted before the disk is full.
        "--storage.tsdb.retention.size=${floor(var.size.disk * 0.6)}GB",
        # Only Grafana can reach it.
        "--web.listen-address=127.0.0.1:9090",
      ]
      readonlyRootFilesystem = true
      dependsOn              = [{ containerName = "settings", condition = "SUCCESS" }]
      mountPoints            = [merge(local.mounted.settings, { readOnly = true }), local.mounted.prometheus]
      logConfiguration       = local.log_to["prometheus"]
      stopTimeout            = 60 # it writes the data in memory to disk
    },
    {
      name      = "alertmanager"
      image     = var.images.alertmanager
      essential = true
      user      = "65534:65534"
      command = [
        "--config.file=${local.settings_folder}/alertmanager.yml",
        "--storage.path=${local.alertmanager_folder}",
        "--web.listen-address=127.0.0.1:9093",
        # One instance: it has nobody to gossip with.
        "--cluster.listen-address=",
      ]
      readonlyRootFilesystem = true
      dependsOn              = [{ containerName = "settings", condition = "SUCCESS" }]
      mountPoints            = [merge(local.mounted.settings, { readOnly = true }), local.mounted.alertmanager]
      logConfiguration       = local.log_to["alertmanager"]
    },
    {
      name      = "grafana"
      image     = var.images.grafana
      essential = true
      user      = "472:0"
      environment = [
        { name = "GF_PATHS_PROVISIONING", value = "${local.settings_folder}/grafana/provisioning" },
        { name = "GF_SERVER_ROOT_URL", value = "https://${var.hostname}" },
        { name = "GF_SECURITY_COOKIE_SECURE", value = "true" },
        { name = "GF_SECURITY_STRICT_TRANSPORT_SECURITY", value = "true" },
        { name = "GF_USERS_ALLOW_SIGN_UP", value = "false" },
        { name = "GF_AUTH_ANONYMOUS_ENABLED", value = "false" },
        { name = "GF_ANALYTICS_REPORTING_ENABLED", value = "false" },
        { name = "GF_ANALYTICS_CHECK_FOR_UPDATES", value = "false" },
      ]
      secrets          = [{ name = "GF_SECURITY_ADMIN_PASSWORD", valueFrom = aws_cloudformation_stack.password.outputs["Arn"] }]
      portMappings     = [{ containerPort = local.grafana_port, protocol = "tcp" }]
      dependsOn        = [{ containerName = "settings", condition = "SUCCESS" }]
      mountPoints      = [merge(local.mounted.settings, { readOnly = true }), local.mounted.grafana]
      logConfiguration = local.log_to["grafana"]
    },
  ])
}

resource "aws_ecs_cluster" "this" {
  name = local.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_service" "this" {
  name             = local.name
  cluster          = aws_ecs_cluster.this.id
  task_definition  = aws_ecs_task_definition.this.arn
  launch_type      = "FARGATE"
  platform_version = "LATEST"
  desired_count    = 1

  # The new task serves before the old one stops; each has a disk of its own.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 120

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.network.task_subnet_ids
    security_groups  = [aws_security_group.task.id]
    assign_public_ip = var.network.public_ip
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.grafana.arn
    container_name   = "grafana"
    container_port   = local.grafana_port
  }

  # A task without its files, password, permissions or routes does not start.
  depends_on = [
    aws_iam_role_policy.execution,
    aws_iam_role_policy.task,
    aws_lb_listener.https,
    aws_s3_object.file,
    aws_vpc_security_group_egress_rule.task_to_anywhere,
    aws_vpc_security_group_ingress_rule.endpoints_from_task,
  ]
}
