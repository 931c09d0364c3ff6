# What is decided when a cluster is created: without a state, which would hide what `ignore_changes` ignores.
mock_provider "aws" {
  override_during = plan

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

run "with_a_minimum_of_zero_it_pauses" {
  command = plan

  variables {
    capacity = { min = 0, max = 2 }
    endpoint = "cluster"
  }

  assert {
    condition     = one(aws_rds_cluster.this.serverlessv2_scaling_configuration).min_capacity == 0 && one(aws_rds_cluster.this.serverlessv2_scaling_configuration).seconds_until_auto_pause == 600
    error_message = "The database never pauses."
  }
}

run "with_more_it_is_always_there" {
  command = plan

  assert {
    condition     = one(aws_rds_cluster.this.serverlessv2_scaling_configuration).seconds_until_auto_pause != 600
    error_message = "AWS refuses a pause of a database with a minimum capacity."
  }
}

run "a_database_behind_a_proxy_cannot_pause" {
  command = plan

  variables {
    capacity = { min = 0, max = 2 }
    endpoint = "proxy"
  }

  expect_failures = [var.capacity]
}

run "is_made_from_a_snapshot" {
  command = plan

  variables {
    restore = { snapshot = "prod-pulsequeue-database-final" }
  }

  assert {
    condition     = aws_rds_cluster.this.snapshot_identifier == "prod-pulsequeue-database-final" && length(aws_rds_cluster.this.restore_to_point_in_time) == 0
    error_message = "The database must come from the snapshot."
  }
}

run "is_made_from_an_earlier_state_of_a_cluster" {
  command = plan

  variables {
    restore = { cluster_resource_id = "cluster-ABC", at = "2026-01-31T12:00:00Z" }
  }

  assert {
    condition     = one(aws_rds_cluster.this.restore_to_point_in_time).source_cluster_resource_id == "cluster-ABC" && one(aws_rds_cluster.this.restore_to_point_in_time).restore_to_time == "2026-01-31T12:00:00Z"
    error_message = "The database must be restored to that time."
  }
}

run "the_backups_of_a_protected_database_outlive_it" {
  command = plan

  assert {
    condition     = aws_rds_cluster.this.delete_automated_backups == false
    error_message = "A deleted database could not be restored to a point in time."
  }
}

run "refuses_to_restore_from_two_places" {
  command = plan

  variables {
    restore = { snapshot = "one", cluster_resource_id = "cluster-ABC" }
  }

  expect_failures = [var.restore]
}
