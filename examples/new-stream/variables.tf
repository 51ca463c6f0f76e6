variable "region" {
  description = "Region of everything here."
  type        = string
}

variable "pinpoint_application_id" {
  description = "Id of your Pinpoint project: 32 hexadecimal digits."
  type        = string
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
