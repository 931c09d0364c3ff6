resource "aws_apigatewayv2_api" "this" {
  # The emulator makes ids up; what is asked at has to be known before it is made.
  tags = { ms-custom-id = var.name }
}
