terraform {
  required_version = ">= 1.5.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  name_prefix = "sms-retry"
  partition   = data.aws_partition.current.partition
  account_id  = data.aws_caller_identity.current.account_id
}

# Encrypts the table, the queues, the logs, the bucket and the alarm topic.
resource "aws_kms_key" "sms" {
  description         = "Message bodies and phone numbers of sms-retry"
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # What a policy of IAM allows is allowed: the module's roles ask for the key there.
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Principal = { Service = "logs.${var.region}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = {
          ArnLike = {
            "kms:EncryptionContext:aws:logs:arn" = [
              "arn:${local.partition}:logs:${var.region}:${local.account_id}:log-group:/aws/lambda/${local.name_prefix}-*",
              "arn:${local.partition}:logs:${var.region}:${local.account_id}:log-group:/aws/kinesisfirehose/${local.name_prefix}-*",
            ]
          }
        }
      },
      {
        # Without it alarms cannot write to an encrypted topic, and say so nowhere but in their history.
        Sid       = "Alarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      },
    ]
  })
}

resource "aws_sns_topic" "alarms" {
  name              = "${local.name_prefix}-alarms"
  kms_master_key_id = aws_kms_key.sms.arn
}

resource "aws_sns_topic_subscription" "alarms" {
  count = var.alarm_email == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

module "sms_retry" {
  source = "../../dist/modules/sms-retry-kinesis"

  pinpoint_application_id = var.pinpoint_application_id
  kinesis_stream_arn      = var.kinesis_stream_arn
  name_prefix             = local.name_prefix
  deletion_protection     = var.deletion_protection
  alarm_topic_arn         = aws_sns_topic.alarms.arn

  # A first plan does not know the ARN of a key that it makes, so it is told that there will be one.
  kms_key_arn          = aws_kms_key.sms.arn
  encrypt_with_kms_key = true

  delivery_guarantee     = "at-most-once"
  archive_retention_days = 90
  log_retention_days     = 365
}
