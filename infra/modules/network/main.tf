data "aws_availability_zones" "here" {
  # checkov:skip=CKV_AWS_394:Zones are taken in the order of their names, and AWS gives a new one the next letter.
  state = "available"

  # Zones that AWS builds up no more: Lambda, Fargate or RDS Proxy refuse subnets there. Which letter they have differs
  # from account to account.
  exclude_zone_ids = ["apne1-az3", "cac1-az3", "use1-az3", "usw1-az2"]

  # Local zones have to be opted in to, and have no Aurora.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_caller_identity" "here" {}

data "aws_partition" "here" {}

data "aws_region" "here" {}

locals {
  zones = slice(sort(data.aws_availability_zones.here.names), 0, var.zones)

  # Sixteen equal parts: four for each kind of subnet, so that a third zone renumbers nothing.
  private  = { for index, zone in local.zones : zone => cidrsubnet(var.cidr, 4, index) }
  isolated = { for index, zone in local.zones : zone => cidrsubnet(var.cidr, 4, 4 + index) }
  public   = { for index, zone in local.zones : zone => cidrsubnet(var.cidr, 4, 8 + index) if var.public_subnets || var.nat }

  nat_zones = { for zone, cidr in local.public : zone => cidr if var.nat }

  internet_gateways = length(local.public) > 0 ? toset(["this"]) : toset([])
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.prefix }
}

# Whoever forgets to choose a security group gets this one, and with it nothing.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.prefix}-closed" }
}

resource "aws_subnet" "private" {
  for_each = local.private

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value

  tags = { Name = "${var.prefix}-private-${each.key}" }
}

resource "aws_subnet" "isolated" {
  for_each = local.isolated

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value

  tags = { Name = "${var.prefix}-isolated-${each.key}" }
}

resource "aws_route_table" "private" {
  for_each = local.private

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.prefix}-private-${each.key}" }
}

resource "aws_route_table_association" "private" {
  for_each = local.private

  subnet_id      = aws_subnet.private[each.key].id
  route_table_id = aws_route_table.private[each.key].id
}

# Knows the network and nothing else: whatever happens around it, the database has no way out.
resource "aws_route_table" "isolated" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.prefix}-isolated" }
}

resource "aws_route_table_association" "isolated" {
  for_each = local.isolated

  subnet_id      = aws_subnet.isolated[each.key].id
  route_table_id = aws_route_table.isolated.id
}
