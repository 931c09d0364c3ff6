resource "aws_security_group" "load_balancer" {
  name        = "${local.name}-balancer"
  description = "The load balancer of Grafana. Listed addresses come in."
  vpc_id      = var.network.vpc_id

  tags = { Name = "${local.name}-balancer" }
}

resource "aws_security_group" "task" {
  name        = local.name
  description = "Prometheus and Grafana. The load balancer alone comes in."
  vpc_id      = var.network.vpc_id

  tags = { Name = local.name }
}

resource "aws_vpc_security_group_ingress_rule" "visitors" {
  for_each = var.reach.cidrs

  security_group_id = aws_security_group.load_balancer.id
  description       = "Grafana, for listed addresses"
  cidr_ipv4         = strcontains(each.key, ":") ? null : each.key
  cidr_ipv6         = strcontains(each.key, ":") ? each.key : null
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "load_balancer_to_task" {
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "Grafana"
  referenced_security_group_id = aws_security_group.task.id
  ip_protocol                  = "tcp"
  from_port                    = local.grafana_port
  to_port                      = local.grafana_port
}

resource "aws_vpc_security_group_ingress_rule" "task_from_load_balancer" {
  security_group_id            = aws_security_group.task.id
  description                  = "Grafana"
  referenced_security_group_id = aws_security_group.load_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = local.grafana_port
  to_port                      = local.grafana_port
}

resource "aws_vpc_security_group_egress_rule" "task_to_anywhere" {
  security_group_id = aws_security_group.task.id
  description       = "Image registries, AWS services and the metrics endpoint have no fixed addresses"
  cidr_ipv4         = "0.0.0.0/0" # registries and HTTP APIs have no fixed addresses; HTTPS only
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# In this VPC the DNS names of Secrets Manager and SSM resolve to the endpoints. Fargate fetches the task's password
# and token through the task's network interface; without access to the endpoints no task starts.
resource "aws_vpc_security_group_ingress_rule" "endpoints_from_task" {
  security_group_id            = var.network.endpoints_security_group_id
  description                  = "Secrets of Prometheus and Grafana"
  referenced_security_group_id = aws_security_group.task.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_lb" "this" {
  # checkov:skip=CKV2_AWS_28:Only listed addresses are admitted, and Grafana requires a password; a web firewall costs $6 a month and more.
  # checkov:skip=CKV_AWS_91:Flow logs of the VPC show who connected; access logs of graph requests would add nothing.
  # checkov:skip=CKV_AWS_150:Protected where the environment sets it, as prod does; dev can be recreated at any time.
  # A load balancer's name has at most 32 characters.
  name                       = substr("${local.env}-pq-monitoring", 0, 32)
  internal                   = var.reach.internal
  load_balancer_type         = "application"
  subnets                    = var.network.load_balancer_subnet_ids
  security_groups            = [aws_security_group.load_balancer.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.protected
}

resource "aws_lb_target_group" "grafana" {
  name        = substr("${local.env}-pq-grafana", 0, 32)
  vpc_id      = var.network.vpc_id
  target_type = "ip"
  protocol    = "HTTP" # inside the network, between two security groups
  port        = local.grafana_port
  # Open graphs in browsers need no longer draining.
  deregistration_delay = 10

  health_check {
    path                = "/api/health"
    matcher             = "200"
    interval            = 15
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.grafana.arn
  }
}
