variable "region" {
  description = "Region of everything here."
  type        = string
}

variable "pool_arn" {
  description = "ARN of the pool of phone numbers from which retries leave."
  type        = string
}

variable "phone_number_arns" {
  description = "ARNs of the phone numbers from which your application sends, and of those in the pool."
  type        = list(string)
}

variable "configuration_set_name" {
  description = "Name of a configuration set that you have; null creates one."
  type        = string
  default     = null
}

variable "alarm_topic_arn" {
  description = "ARN of the SNS topic that alarms notify; null notifies nobody, and every plan says so."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Set it to false and apply before you destroy."
  type        = bool
  default     = true
}
