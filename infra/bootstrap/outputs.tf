output "backend" {
  description = "Backend block for backend.tf of an environment, with the environment's name in the key."
  value       = <<-HCL
    terraform {
      backend "s3" {
        bucket       = "${module.state.name}"
        key          = "ENVIRONMENT/terraform.tfstate"
        region       = "${var.region}"
        encrypt      = true
        kms_key_id   = "${aws_kms_key.state.arn}"
        use_lockfile = true
      }
    }
  HCL
}

output "state_bucket" {
  description = "Name of the state bucket."
  value       = module.state.name
}

output "boundary_arns" {
  description = "ARNs of the permissions boundaries that the roles of an environment have, by environment."
  value       = { for env, policy in aws_iam_policy.boundary : env => policy.arn }
}

output "plan_role_arn" {
  description = "ARN of the role for jobs of pull requests."
  value       = aws_iam_role.plan.arn
}

output "deploy_role_arns" {
  description = "ARNs of the deploy roles, by environment."
  value       = { for env, role in aws_iam_role.deploy : env => role.arn }
}

output "state_replica" {
  description = "Bucket with a copy of the state, in the replica's region; null for none."
  value       = one(values(local.replica))
}
