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
  source = "../../dist/modules/sms-retry-firehose"

  pinpoint_application_id       = var.pinpoint_application_id
  firehose_delivery_stream_name = var.firehose_delivery_stream_name
  alarm_topic_arn               = var.alarm_topic_arn
  deletion_protection           = var.deletion_protection
}
