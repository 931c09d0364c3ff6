# AWS requires permission to create this policy. The emulator does not see its name and requires permission for any.
# Nor does it know the boundary of a role or the service that a role is passed to when it evaluates a condition:
# those statements are tested by evaluating the policies (tests/terraform/test_escalation.py).
resource "aws_iam_role_policy" "any_policy" {
  for_each = var.environments

  name = "any-policy"
  role = aws_iam_role.deploy[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "CreateAnyPolicy"
        Effect   = "Allow"
        Action   = "iam:CreatePolicy"
        Resource = "*"
      },
      {
        Sid      = "RolesWithoutConditions"
        Effect   = "Allow"
        Action   = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PassRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
        Resource = local.role_arns[each.key]
      },
    ]
  })
}
