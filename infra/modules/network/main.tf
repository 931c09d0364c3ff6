data "aws_availability_zones" "here" {
  # checkov:skip=CKV_AWS_394:Zones are used in the order of their names, and AWS gives a new zone the next letter.
  state = "available"

  # Constrained zones, where Lambda, Fargate or RDS Proxy accept no subnets. They are given by id, because their names
  # differ between accounts.
  exclude_zone_ids = ["apne1-az3", "cac1-az3", "use1-az3", "usw1-az2"]

  # Local zones need an opt-in and have no Aurora.
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

# Resources without a chosen security group get this one, which admits nothing.
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

# Routes within the VPC only, so the database has no route to the internet.
resource "aws_route_table" "isolated" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.prefix}-isolated" }
}

resource "aws_route_table_association" "isolated" {
  for_each = local.isolated

  subnet_id      = aws_subnet.isolated[each.key].id
  route_table_id = aws_route_table.isolated.id
}
