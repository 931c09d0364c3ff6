# AWS requires permission to create this policy. The emulator does not see its name and requires permission for any.
resource "aws_iam_role_policy" "any_policy" {
  for_each = var.environments

  name = "any-policy"
  role = aws_iam_role.deploy[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "CreateAnyPolicy"
      Effect   = "Allow"
      Action   = "iam:CreatePolicy"
      Resource = "*"
    }]
  })
}
