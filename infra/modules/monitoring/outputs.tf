output "grafana_url" {
  description = "Where Grafana is, once the name points to the load balancer."
  value       = "https://${var.hostname}"
}

output "grafana_access_instructions" {
  description = "How to get there, step by step."
  value       = <<-TEXT
    1. Let ${var.hostname} point to ${aws_lb.this.dns_name} (a CNAME, or an alias record in Route 53).
    2. Be at one of these addresses${var.reach.internal ? ", inside the network or connected to it by VPN" : ""}: ${join(", ", sort(var.reach.cidrs))}.
    3. Open https://${var.hostname} and sign in as admin, with the password that this prints:
       aws secretsmanager get-secret-value --region ${local.region} --secret-id ${local.password} --query SecretString --output text
    4. The dashboards are in the folder PulseQueue.
  TEXT
}

output "load_balancer" {
  description = "What the name has to point to: its address, and the zone that an alias record in Route 53 wants."
  value       = { dns_name = aws_lb.this.dns_name, zone_id = aws_lb.this.zone_id }
}
