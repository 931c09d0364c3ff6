# AWS asks for the right to make the one policy. The emulator does not see which one it is, and asks for the right to any.
resource "aws_iam_role_policy" "any_policy" {
  for_each = var.environments

  name = "any-policy"
  role = aws_iam_role.deploy[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "AnyPolicy"
      Effect   = "Allow"
      Action   = "iam:CreatePolicy"
      Resource = "*"
    }]
  })
}
