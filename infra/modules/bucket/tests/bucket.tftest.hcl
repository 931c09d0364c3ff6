mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name = "dev-pulsequeue-things"
}

run "nothing_in_it_can_become_public" {
  assert {
    condition     = aws_s3_bucket_public_access_block.this.block_public_acls && aws_s3_bucket_public_access_block.this.block_public_policy && aws_s3_bucket_public_access_block.this.ignore_public_acls && aws_s3_bucket_public_access_block.this.restrict_public_buckets
    error_message = "Public access is not blocked."
  }

  assert {
    condition     = one(aws_s3_bucket_ownership_controls.this.rule).object_ownership == "BucketOwnerEnforced"
    error_message = "Access control lists are enabled."
  }
}

run "no_page_may_post_by_default" {
  assert {
    condition     = length(aws_s3_bucket_cors_configuration.this) == 0
    error_message = "Pages of other origins may post."
  }
}

run "pages_of_given_origins_may_post_and_nothing_else" {
  variables {
    upload_origins = ["https://console.example"]
  }

  assert {
    condition = [for rule in aws_s3_bucket_cors_configuration.this["uploads"].cors_rule : [rule.allowed_methods, rule.allowed_origins]] == [
      [toset(["POST"]), toset(["https://console.example"])]
    ]
    error_message = "Only posts of the given origins may be allowed."
  }
}

run "refuses_origins_that_are_wildcards" {
  command = plan

  variables {
    upload_origins = ["*"]
  }

  expect_failures = [var.upload_origins]
}

run "requires_recent_tls" {
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement :
      statement.Effect == "Deny" && statement.Resource == ["arn:aws:s3:::dev-pulsequeue-things", "arn:aws:s3:::dev-pulsequeue-things/*"]
    ])
    error_message = "The policy allows access, or is for another bucket."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false" && jsondecode(aws_s3_bucket_policy.this.policy).Statement[1].Condition.NumericLessThan["s3:TlsVersion"] == "1.2"
    error_message = "Plain HTTP or old TLS is accepted."
  }
}

run "a_distribution_may_read_objects_if_configured" {
  variables {
    distribution_arn = "arn:aws:cloudfront::123456789012:distribution/E1"
  }

  assert {
    condition = [for it in jsondecode(aws_s3_bucket_policy.this.policy).Statement : it if it.Effect == "Allow"] == [{
      Sid       = "Distribution"
      Effect    = "Allow"
      Principal = { Service = "cloudfront.amazonaws.com" }
      Action    = "s3:GetObject"
      Resource  = "arn:aws:s3:::dev-pulsequeue-things/*"
      Condition = { StringEquals = { "AWS:SourceArn" = "arn:aws:cloudfront::123456789012:distribution/E1" } }
    }]
    error_message = "Anyone but the distribution may read, or it may do more."
  }
}

run "an_emulator_has_no_tls" {
  variables {
    tls_only = false
  }

  assert {
    condition     = [for it in jsondecode(aws_s3_bucket_policy.this.policy).Statement : it.Sid] == ["RequireTls12"]
    error_message = "Requests without TLS are denied."
  }
}

run "overwritten_objects_can_be_restored_for_a_time" {
  variables {
    noncurrent_days = 30
  }

  assert {
    condition     = one(aws_s3_bucket_versioning.this.versioning_configuration).status == "Enabled" && one(aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration).noncurrent_days == 30
    error_message = "Earlier versions are not kept, or never expire."
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration) == 0
    error_message = "Objects expire without configuration."
  }
}

run "objects_expire_if_configured" {
  variables {
    expire_days = 365
  }

  assert {
    condition     = one(aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration).days == 365
    error_message = "Objects do not expire."
  }
}

run "it_is_encrypted_by_s3_unless_there_is_a_key" {
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "Objects are not encrypted by S3's own keys."
  }
}

run "with_a_key_it_is_encrypted_with_that" {
  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1"
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == "arn:aws:kms:us-east-1:123456789012:key/1" && one(aws_s3_bucket_server_side_encryption_configuration.this.rule).bucket_key_enabled
    error_message = "Objects are not encrypted with the key."
  }
}

run "is_deleted_with_its_contents_only_if_not_protected" {
  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "A protected bucket can be deleted with its contents."
  }
}

run "access_logs_are_written_if_configured" {
  variables {
    protected  = false
    log_bucket = "dev-pulsequeue-access"
  }

  assert {
    condition     = aws_s3_bucket.this.force_destroy && aws_s3_bucket_logging.this["dev-pulsequeue-access"].target_prefix == "dev-pulsequeue-things/"
    error_message = "Access logs are not written under the bucket's name."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    name            = "With.Dots"
    kms_key_arn     = "alias/mine"
    noncurrent_days = 0
    expire_days     = 0
  }

  expect_failures = [var.name, var.kms_key_arn, var.noncurrent_days, var.expire_days]
}
