output "grafana_url" {
  description = "URL of Grafana, once the DNS name points to the load balancer."
  value       = "https://${var.hostname}"
}

output "grafana_access_instructions" {
  description = "Steps to sign in to Grafana."
  value       = <<-TEXT
    1. Let ${var.hostname} point to ${aws_lb.this.dns_name} (a CNAME, or an alias record in Route 53).
    2. Be at one of these addresses${var.reach.internal ? ", inside the network or connected to it by VPN" : ""}: ${join(", ", sort(var.reach.cidrs))}.
    3. Open https://${var.hostname} and sign in as admin, with the password that this prints:
       aws secretsmanager get-secret-value --region ${local.region} --secret-id ${local.password} --query SecretString --output text
    4. The dashboards are in the folder PulseQueue.
  TEXT
}

output "load_balancer" {
  description = "DNS name and hosted zone id of the load balancer, for the DNS record of hostname."
  value       = { dns_name = aws_lb.this.dns_name, zone_id = aws_lb.this.zone_id }
}
