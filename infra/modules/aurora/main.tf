data "aws_caller_identity" "here" {}

data "aws_partition" "here" {}

data "aws_region" "here" {}

locals {
  name  = "${var.prefix}-database"
  major = split(".", var.engine_version)[0]
  port  = 5432

  # As created by services/analytics/db/roles.sql. Each signs in with IAM tokens only.
  roles = ["pulsequeue_owner", "pulsequeue_projector", "pulsequeue_api"]

  account  = data.aws_caller_identity.here.account_id
  arn_root = "arn:${data.aws_partition.here.partition}"
}

resource "aws_db_subnet_group" "this" {
  name        = local.name
  description = "Subnets of ${local.name}."
  subnet_ids  = var.subnet_ids
}

resource "aws_rds_cluster_parameter_group" "this" {
  name_prefix = "${local.name}-"
  family      = "aurora-postgresql${local.major}"
  description = "TLS required; slow statements and schema changes are logged."

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }

  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  parameter {
    name  = "log_lock_waits"
    value = "1"
  }

  # Parameters of statements are tenant data and must not be logged.
  parameter {
    name  = "log_parameter_max_length"
    value = "0"
  }

  # A new major version needs a group of another family before the cluster can release the old one.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_rds_cluster" "this" {
  # checkov:skip=CKV2_AWS_8:Aurora has point-in-time recovery for backup_days; AWS Backup would store the same data twice.
  # checkov:skip=CKV_AWS_139:Protected where the environment sets it, as prod does; dev can be recreated at any time.
  cluster_identifier = local.name
  engine             = "aurora-postgresql"
  engine_mode        = "provisioned" # the engine mode of Serverless v2
  engine_version     = var.engine_version
  database_name      = "pulsequeue"
  port               = local.port

  serverlessv2_scaling_configuration {
    min_capacity = var.capacity.min
    max_capacity = var.capacity.max

    # Without connections for so long, it pauses, and charges for storage only.
    seconds_until_auto_pause = var.capacity.min == 0 ? 600 : null
  }

  # RDS generates, stores and rotates the password every week; no state, variable or code of ours contains it.
  master_username               = "administrator"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = aws_kms_key.this.key_id

  iam_database_authentication_enabled = true
  storage_encrypted                   = true
  kms_key_id                          = aws_kms_key.this.arn
  db_cluster_parameter_group_name     = aws_rds_cluster_parameter_group.this.name
  db_subnet_group_name                = aws_db_subnet_group.this.name
  vpc_security_group_ids              = [var.security_group_id]

  # After a loss: made from a snapshot, or from an earlier state of a cluster.
  snapshot_identifier = try(var.restore.snapshot, null)

  dynamic "restore_to_point_in_time" {
    for_each = try(var.restore.cluster_resource_id, null) == null ? [] : [var.restore]

    content {
      source_cluster_resource_id = restore_to_point_in_time.value.cluster_resource_id
      restore_to_time            = restore_to_point_in_time.value.at
      use_latest_restorable_time = restore_to_point_in_time.value.at == null ? true : null
    }
  }

  backup_retention_period      = var.backup_days
  delete_automated_backups     = !var.protected
  preferred_backup_window      = "02:00-03:00"
  preferred_maintenance_window = "sun:03:30-sun:04:30"
  copy_tags_to_snapshot        = true
  deletion_protection          = var.protected
  skip_final_snapshot          = !var.protected
  final_snapshot_identifier    = "${local.name}-final"

  enabled_cloudwatch_logs_exports = keys(aws_cloudwatch_log_group.this)

  # Where it came from matters once: the input can be removed afterwards, and changes no cluster that exists.
  lifecycle {
    ignore_changes = [restore_to_point_in_time, snapshot_identifier]
  }
}

resource "aws_rds_cluster_instance" "this" {
  count = var.instances

  identifier         = "${local.name}-${count.index + 1}"
  cluster_identifier = aws_rds_cluster.this.id
  engine             = aws_rds_cluster.this.engine
  instance_class     = "db.serverless"

  # Promotion tiers 0 and 1 keep the second instance as large as the writer, so that it can take over at once.
  promotion_tier             = min(count.index, 1)
  publicly_accessible        = false
  auto_minor_version_upgrade = true

  # Database Insights, in its standard mode: the API keeps the earlier name.
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = aws_kms_key.this.arn
  performance_insights_retention_period = 7
  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
}

resource "aws_iam_role" "monitoring" {
  name                 = "${local.name}-monitoring"
  permissions_boundary = var.permissions_boundary_arn
  description          = "Sends enhanced monitoring of ${local.name} to CloudWatch."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "${local.arn_root}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}
