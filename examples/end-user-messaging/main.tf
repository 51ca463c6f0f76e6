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
  source = "../../dist/modules/sms-retry-end-user-messaging"

  # The first retry leaves as the message did, every later one by the pool.
  origination_identities = [null, var.pool_arn]

  # All that your messages are sent from. The functions may send from nothing else.
  origination_identity_arns = concat([var.pool_arn], var.phone_number_arns)

  configuration_set_name = var.configuration_set_name
  alarm_topic_arn        = var.alarm_topic_arn
  deletion_protection    = var.deletion_protection
}
