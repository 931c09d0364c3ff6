# Not created when functions connect to the cluster itself.

locals {
  proxies = var.endpoint == "proxy" ? toset(["this"]) : toset([])

  secret_arn = one(aws_rds_cluster.this.master_user_secret).secret_arn

  # prx-..., the last part of the proxy's ARN: the resource id in permissions to connect through it.
  proxy_id = one([for stack in aws_cloudformation_stack.proxy : element(split(":", stack.outputs["Arn"]), 6)])
}

resource "aws_iam_role" "proxy" {
  for_each = local.proxies

  name                 = "${local.name}-proxy"
  permissions_boundary = var.permissions_boundary_arn
  description          = "Signs in to ${local.name} with the database role that the proxy's client uses."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # As AWS documents for proxies, whose service principal names no account. Nobody outside this account can pass
      # the role to a proxy of another account.
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

# The provider can create a proxy only with a password for each database user. Ours have none: they sign in with IAM
# tokens, through the proxy too, which CloudFormation supports (DefaultAuthScheme).
resource "aws_cloudformation_stack" "proxy" {
  # checkov:skip=CKV_AWS_124:Terraform waits for the stack and reports its errors to the operator who applies it.
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
          # Usually longer than an idle Lambda environment lives.
          IdleClientTimeout = 1800
          DebugLogging      = false
          # Only the administrator uses a password, to create the roles that sign in with IAM.
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
            MaxConnectionsPercent     = 90 # the rest is for operators in an emergency
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

  # The proxy needs a cluster with instances, and its permissions to sign in.
  depends_on = [aws_rds_cluster_instance.this, aws_iam_role_policy.proxy, aws_cloudwatch_log_group.proxy]
}
