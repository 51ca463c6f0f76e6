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

module "sms_retry" {
  source = "../../dist/modules/sms-retry-kinesis"

  pinpoint_application_id = var.pinpoint_application_id
  kinesis_stream_arn      = var.kinesis_stream_arn
  alarm_topic_arn         = var.alarm_topic_arn
  deletion_protection     = var.deletion_protection

  # Short-lived messages: the first retry within half a minute, the last within five.
  max_retries              = 2
  retry_delays_seconds     = [30, 300]
  message_validity_seconds = 900
}
