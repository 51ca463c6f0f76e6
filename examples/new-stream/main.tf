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
  source = "../../dist/modules/sms-retry-new-stream"

  pinpoint_application_id = var.pinpoint_application_id
  alarm_topic_arn         = var.alarm_topic_arn
  deletion_protection     = var.deletion_protection

  # One shard takes 1000 events a second at a fixed price; leave it out to scale on demand.
  stream_shard_count = 1
}
