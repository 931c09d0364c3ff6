resource "aws_apigatewayv2_api" "this" {
  # The emulator generates ids, but the API's URL has to be known before it is created.
  tags = { ms-custom-id = var.name }
}
