mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1c", "us-east-1a", "us-east-1b"] }
  }
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
    defaults = { arn = "arn:aws:iam::123456789012:role/flow-logs" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:flow-logs" }
  }
}

variables {
  prefix = "dev-pulsequeue"
}

run "has_no_internet_access_by_default" {
  assert {
    condition     = length(aws_internet_gateway.this) == 0 && length(aws_nat_gateway.this) == 0 && length(aws_route.public) == 0 && length(aws_route.nat) == 0
    error_message = "There is internet access without nat or public_subnets."
  }

  assert {
    condition     = length(output.public_subnet_ids) == 0
    error_message = "There are public subnets without nat or public_subnets."
  }
}

run "subnets_of_both_kinds_are_in_the_same_zones_and_do_not_overlap" {
  assert {
    condition     = [for zone, subnet in aws_subnet.private : zone] == ["us-east-1a", "us-east-1b"] && keys(aws_subnet.private) == keys(aws_subnet.isolated)
    error_message = "Private and isolated subnets are not in the first two zones."
  }

  assert {
    condition     = length(distinct(concat(values(aws_subnet.private)[*].cidr_block, values(aws_subnet.isolated)[*].cidr_block))) == 4
    error_message = "Two subnets have the same addresses."
  }
}

run "skips_zones_without_lambda" {
  assert {
    condition     = contains(data.aws_availability_zones.here.exclude_zone_ids, "use1-az3")
    error_message = "Lambda accepts no subnets in use1-az3."
  }
}

run "a_third_zone_renumbers_no_subnet" {
  variables {
    zones = 3
  }

  assert {
    condition     = aws_subnet.private["us-east-1a"].cidr_block == "10.20.0.0/20" && aws_subnet.isolated["us-east-1b"].cidr_block == "10.20.80.0/20" && length(output.isolated_subnet_ids) == 3
    error_message = "Subnets were renumbered."
  }
}

run "only_functions_and_the_proxy_reach_the_database_and_only_its_port" {
  assert {
    condition = alltrue([
      for rule in [aws_vpc_security_group_ingress_rule.database_from_functions, aws_vpc_security_group_ingress_rule.database_from_proxy] :
      rule.security_group_id == aws_security_group.database.id && rule.from_port == 5432 && rule.to_port == 5432 && rule.cidr_ipv4 == null
    ])
    error_message = "The database admits more than PostgreSQL from security groups."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.database_from_functions.referenced_security_group_id == aws_security_group.functions.id && aws_vpc_security_group_ingress_rule.database_from_proxy.referenced_security_group_id == aws_security_group.database.id
    error_message = "The database admits other callers."
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.functions_to_database.referenced_security_group_id == aws_security_group.database.id && aws_vpc_security_group_egress_rule.functions_to_database.to_port == 5432
    error_message = "Functions cannot reach the database."
  }
}

run "functions_reach_dynamodb_and_s3_through_their_gateways" {
  assert {
    condition = alltrue([
      for service, rule in aws_vpc_security_group_egress_rule.functions_to_gateway :
      rule.security_group_id == aws_security_group.functions.id && rule.prefix_list_id == aws_vpc_endpoint.gateway[service].prefix_list_id && rule.ip_protocol == "tcp" && rule.from_port == 443 && rule.to_port == 443
    ])
    error_message = "A rule admits something else."
  }

  assert {
    condition     = keys(aws_vpc_security_group_egress_rule.functions_to_gateway) == ["dynamodb", "s3"]
    error_message = "Functions cannot reach a service that has a gateway endpoint only."
  }
}

run "interface_endpoints_serve_this_account_only" {
  assert {
    condition     = keys(aws_vpc_endpoint.interface) == ["secretsmanager", "sqs", "ssm"] && keys(aws_vpc_endpoint.gateway) == ["dynamodb", "s3"]
    error_message = "An endpoint that a function needs is missing."
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled && jsondecode(endpoint.policy).Statement[0].Condition.StringEquals["aws:PrincipalAccount"] == "123456789012"])
    error_message = "An endpoint accepts other accounts, or has no private DNS."
  }
}

run "the_default_security_group_admits_nothing" {
  assert {
    condition     = length(aws_default_security_group.closed.ingress) == 0 && length(aws_default_security_group.closed.egress) == 0
    error_message = "The default security group has rules."
  }
}

run "flow_logs_are_complete_encrypted_and_expire" {
  variables {
    log_days = 90
  }

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow_logs.retention_in_days == 90 && aws_cloudwatch_log_group.flow_logs.kms_key_id == aws_kms_key.flow_logs.arn && aws_kms_key.flow_logs.enable_key_rotation
    error_message = "Flow logs are incomplete, not encrypted, or never expire."
  }
}

run "flow_logs_may_write_to_their_log_group" {
  assert {
    condition     = toset(flatten([for statement in jsondecode(aws_iam_role_policy.flow_logs.policy).Statement : statement.Action])) == toset(["logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"])
    error_message = "Flow logs lack a permission or have too many."
  }
}

run "with_nat_each_zone_has_a_gateway_and_the_database_no_route_out" {
  variables {
    nat = true
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["us-east-1a", "us-east-1b"] && length(aws_subnet.public) == 2 && length(aws_route.nat) == 2
    error_message = "A zone has no NAT gateway of its own."
  }

  assert {
    condition     = alltrue([for route in aws_route.nat : route.route_table_id != aws_route_table.isolated.id])
    error_message = "The database has a route out."
  }
}

run "public_subnets_do_not_create_nat" {
  variables {
    public_subnets = true
  }

  assert {
    condition     = length(output.public_subnet_ids) == 2 && length(aws_nat_gateway.this) == 0 && alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "Public subnets create more than expected."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    prefix    = "Dev"
    cidr      = "10.0.0.0/28"
    zones     = 1
    endpoints = ["s3"]
    log_days  = 8
  }

  expect_failures = [var.prefix, var.cidr, var.zones, var.endpoints, var.log_days]
}
