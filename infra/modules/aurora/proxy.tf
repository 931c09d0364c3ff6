# Nothing in this file is made when functions reach the cluster itself.

locals {
  proxies = var.way_in == "proxy" ? toset(["this"]) : toset([])

  secret_arn = one(aws_rds_cluster.this.master_user_secret).secret_arn

  # prx-..., the last part of its ARN: what rights to connect through the proxy are granted on.
  proxy_id = one([for stack in aws_cloudformation_stack.proxy : element(split(":", stack.outputs["Arn"]), 6)])
}

resource "aws_iam_role" "proxy" {
  for_each = local.proxies

  name        = "${local.name}-proxy"
  description = "Signs in to ${local.name} for whoever came to its proxy under the same name."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # As AWS has it for proxies, whose sign-in names no account that it is for. Nobody outside of this account can hand
      # the role to a proxy of his own.
    }]
  })
}

resource "aws_iam_role_policy" "proxy" {
  for_each = local.proxies

  name = "sign-in"
  role = aws_iam_role.proxy[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Roles"
        Effect   = "Allow"
        Action   = "rds-db:connect"
        Resource = [for role in local.roles : "${local.arn_root}:rds-db:${data.aws_region.here.name}:${local.account}:dbuser:${aws_rds_cluster.this.cluster_resource_id}/${role}"]
      },
      {
        Sid      = "Administrator"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = local.secret_arn
      },
    ]
  })
}

resource "aws_cloudwatch_log_group" "proxy" {
  for_each = local.proxies

  name              = "/aws/rds/proxy/${local.name}"
  retention_in_days = var.log_days
}

# The provider can make a proxy only with a password for each database user. Ours have none: they sign in by IAM
# tokens, through the proxy too, which CloudFormation can say (DefaultAuthScheme).
resource "aws_cloudformation_stack" "proxy" {
  # checkov:skip=CKV_AWS_124:Terraform waits for the stack, and tells whoever applies it what went wrong.
  for_each = local.proxies

  name               = "${local.name}-proxy"
  on_failure         = "DELETE"
  timeout_in_minutes = 30

  template_body = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "The proxy of ${local.name}. Made by Terraform; change it there."
    Resources = {
      Proxy = {
        Type = "AWS::RDS::DBProxy"
        Properties = {
          DBProxyName         = local.name
          EngineFamily        = "POSTGRESQL"
          RequireTLS          = true
          DefaultAuthScheme   = "IAM_AUTH"
          RoleArn             = aws_iam_role.proxy[each.key].arn
          VpcSubnetIds        = var.subnet_ids
          VpcSecurityGroupIds = [var.security_group_id]
          # Longer than a Lambda function is kept for its next call, most of the time.
          IdleClientTimeout = 1800
          DebugLogging      = false
          # The administrator alone comes with a password: he makes the roles that IAM lets in.
          Auth = [{
            AuthScheme             = "SECRETS"
            SecretArn              = local.secret_arn
            IAMAuth                = "DISABLED"
            ClientPasswordAuthType = "POSTGRES_SCRAM_SHA_256"
            Description            = "The administrator"
          }]
        }
      }
      Targets = {
        Type = "AWS::RDS::DBProxyTargetGroup"
        Properties = {
          DBProxyName          = { Ref = "Proxy" }
          TargetGroupName      = "default"
          DBClusterIdentifiers = [aws_rds_cluster.this.cluster_identifier]
          ConnectionPoolConfigurationInfo = {
            MaxConnectionsPercent     = 90 # the rest is for operators when everything else is stuck
            MaxIdleConnectionsPercent = 20
            ConnectionBorrowTimeout   = 5 # as long as a function waits for a connection
          }
        }
      }
    }
    Outputs = {
      Arn      = { Value = { "Fn::GetAtt" = ["Proxy", "DBProxyArn"] } }
      Endpoint = { Value = { "Fn::GetAtt" = ["Proxy", "Endpoint"] } }
    }
  })

  # A proxy cannot take on a cluster without instances, nor sign in without its rights.
  depends_on = [aws_rds_cluster_instance.this, aws_iam_role_policy.proxy, aws_cloudwatch_log_group.proxy]
}
