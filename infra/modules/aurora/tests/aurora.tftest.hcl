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
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/one" }
  }
  mock_resource "aws_rds_cluster" {
    defaults = {
      cluster_resource_id = "cluster-ABC"
      endpoint            = "dev-pulsequeue-database.cluster-abc.us-east-1.rds.amazonaws.com"
      master_user_secret  = [{ secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-1", secret_status = "active", kms_key_id = "1" }]
    }
  }
  mock_resource "aws_cloudformation_stack" {
    defaults = {
      outputs = {
        Arn      = "arn:aws:rds:us-east-1:123456789012:db-proxy:prx-0abc"
        Endpoint = "dev-pulsequeue-database.proxy-abc.us-east-1.rds.amazonaws.com"
      }
    }
  }
}

variables {
  prefix            = "dev-pulsequeue"
  subnet_ids        = ["subnet-1", "subnet-2"]
  security_group_id = "sg-1"
}

run "requires_tls" {
  assert {
    condition     = contains([for parameter in aws_rds_cluster_parameter_group.this.parameter : "${parameter.name}=${parameter.value}"], "rds.force_ssl=1")
    error_message = "The cluster accepts connections without TLS."
  }

  assert {
    condition     = jsondecode(aws_cloudformation_stack.proxy["this"].template_body).Resources.Proxy.Properties.RequireTLS && output.sslmode == "verify-full"
    error_message = "The proxy accepts connections without TLS, or clients do not verify it."
  }
}

run "encrypts_everything_with_one_rotated_key" {
  assert {
    condition     = aws_rds_cluster.this.storage_encrypted && aws_rds_cluster.this.kms_key_id == aws_kms_key.this.arn && aws_rds_cluster.this.master_user_secret_kms_key_id == aws_kms_key.this.key_id && alltrue([for instance in aws_rds_cluster_instance.this : instance.performance_insights_kms_key_id == aws_kms_key.this.arn]) && alltrue([for group in aws_cloudwatch_log_group.this : group.kms_key_id == aws_kms_key.this.arn]) && aws_kms_key.this.enable_key_rotation
    error_message = "A part of the database is not encrypted with its key."
  }
}

run "the_password_is_managed_by_rds" {
  assert {
    condition     = aws_rds_cluster.this.manage_master_user_password && aws_rds_cluster.this.master_password == null && output.secret_arn == "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-1"
    error_message = "The administrator's password is set in Terraform."
  }
}

run "functions_and_the_proxy_sign_in_with_iam" {
  assert {
    condition     = aws_rds_cluster.this.iam_database_authentication_enabled && jsondecode(aws_cloudformation_stack.proxy["this"].template_body).Resources.Proxy.Properties.DefaultAuthScheme == "IAM_AUTH"
    error_message = "IAM authentication is disabled at the proxy or the cluster."
  }

  assert {
    condition     = output.host == "dev-pulsequeue-database.proxy-abc.us-east-1.rds.amazonaws.com" && output.resource_id == "prx-0abc"
    error_message = "Functions do not connect to the proxy, or their permissions are not on it."
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.proxy["this"].policy).Statement[0].Resource == [
      "arn:aws:rds-db:us-east-1:123456789012:dbuser:cluster-ABC/pulsequeue_owner",
      "arn:aws:rds-db:us-east-1:123456789012:dbuser:cluster-ABC/pulsequeue_projector",
      "arn:aws:rds-db:us-east-1:123456789012:dbuser:cluster-ABC/pulsequeue_api",
    ]
    error_message = "The proxy may sign in with other roles, or not with our three."
  }
}

run "only_the_administrator_uses_a_password_at_the_proxy" {
  assert {
    condition     = [for auth in jsondecode(aws_cloudformation_stack.proxy["this"].template_body).Resources.Proxy.Properties.Auth : auth.SecretArn] == [output.secret_arn]
    error_message = "The proxy has passwords other than the administrator's."
  }
}

run "without_a_proxy_functions_connect_to_the_cluster" {
  variables {
    endpoint = "cluster"
  }

  assert {
    condition     = length(aws_cloudformation_stack.proxy) == 0 && length(aws_iam_role.proxy) == 0 && length(aws_cloudwatch_metric_alarm.pinned) == 0
    error_message = "There are resources of a proxy."
  }

  assert {
    condition     = output.host == aws_rds_cluster.this.endpoint && output.resource_id == "cluster-ABC" && output.sslmode == "require"
    error_message = "Functions do not connect to the cluster."
  }
}

run "a_protected_database_cannot_be_deleted" {
  variables {
    backup_days = 35
  }

  assert {
    condition     = aws_rds_cluster.this.deletion_protection && !aws_rds_cluster.this.skip_final_snapshot && aws_rds_cluster.this.backup_retention_period == 35 && aws_rds_cluster.this.copy_tags_to_snapshot
    error_message = "The database can be deleted without a snapshot."
  }
}

run "an_unprotected_database_can_be_deleted" {
  variables {
    protected = false
  }

  assert {
    condition     = !aws_rds_cluster.this.deletion_protection && aws_rds_cluster.this.skip_final_snapshot && aws_rds_cluster.this.backup_retention_period == 7
    error_message = "The database cannot be deleted, or has no backups."
  }
}

run "the_second_instance_can_take_over_at_once" {
  variables {
    instances = 3
  }

  assert {
    condition     = [for instance in aws_rds_cluster_instance.this : instance.promotion_tier] == [0, 1, 1] && alltrue([for instance in aws_rds_cluster_instance.this : !instance.publicly_accessible])
    error_message = "An instance is smaller than the writer, or public."
  }
}

run "logs_are_exported_with_a_retention" {
  assert {
    condition     = toset(aws_rds_cluster.this.enabled_cloudwatch_logs_exports) == toset(["iam-db-auth-error", "postgresql"]) && alltrue([for group in aws_cloudwatch_log_group.this : group.retention_in_days == 30])
    error_message = "Logs are not exported, or never expire."
  }
}

run "each_alarm_notifies_the_topics" {
  variables {
    alarm_topic_arns = ["arn:aws:sns:us-east-1:123456789012:alarms"]
  }

  assert {
    condition = alltrue([
      for alarm in concat([aws_cloudwatch_metric_alarm.acu, aws_cloudwatch_metric_alarm.storage, aws_cloudwatch_metric_alarm.connections], values(aws_cloudwatch_metric_alarm.pinned), values(aws_cloudwatch_metric_alarm.borrowing)) :
      alarm.alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:alarms"])
    ])
    error_message = "An alarm has no action."
  }
}

run "the_connection_alarm_follows_from_the_capacity" {
  variables {
    capacity = { min = 0.5, max = 16 }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.connections.threshold == 1600
    error_message = "The threshold is not 80 % of the connections."
  }
}

run "the_parameter_group_is_of_the_engines_version" {
  variables {
    engine_version = "15.12"
  }

  assert {
    condition     = aws_rds_cluster_parameter_group.this.family == "aurora-postgresql15"
    error_message = "The parameter group is for another engine version."
  }
}

run "the_newest_engine_has_its_own_parameter_group" {
  variables {
    engine_version = "18"
  }

  assert {
    condition     = aws_rds_cluster_parameter_group.this.family == "aurora-postgresql18"
    error_message = "The parameter group is for another engine version."
  }
}

run "a_wrong_endpoint_is_refused" {
  command = plan

  variables {
    endpoint = "tunnel"
  }

  expect_failures = [var.endpoint]
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    prefix            = "dev"
    engine_version    = "19"
    capacity          = { min = 4, max = 2 }
    instances         = 0
    subnet_ids        = ["subnet-1"]
    backup_days       = 0
    log_days          = 8
    storage_alarm_gib = 0
    alarm_topic_arns  = ["team@example.com"]
  }

  expect_failures = [
    var.prefix, var.engine_version, var.capacity, var.instances,
    var.subnet_ids, var.backup_days, var.log_days, var.storage_alarm_gib, var.alarm_topic_arns,
  ]
}
