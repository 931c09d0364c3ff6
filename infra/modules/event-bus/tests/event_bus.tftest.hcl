mock_provider "aws" {
  override_during = plan

  mock_resource "aws_cloudwatch_event_bus" {
    defaults = { arn = "arn:aws:events:eu-central-1:123456789012:event-bus/dev-shop" }
  }
}

variables {
  name         = "dev-shop"
  archive_days = 90
}

run "archives_every_event" {
  command = plan

  assert {
    condition     = aws_cloudwatch_event_archive.this.event_source_arn == "arn:aws:events:eu-central-1:123456789012:event-bus/dev-shop" && aws_cloudwatch_event_archive.this.event_pattern == null && aws_cloudwatch_event_archive.this.retention_days == 90
    error_message = "The archive must keep all events of the bus for 90 days."
  }
}

run "refuses_to_be_the_default_bus_or_to_keep_events_for_ever" {
  command = plan

  variables {
    name         = "default"
    archive_days = 0
  }

  expect_failures = [var.name, var.archive_days]
}
