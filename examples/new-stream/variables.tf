variable "region" {
  description = "Region of everything here."
  type        = string
}

variable "pinpoint_application_id" {
  description = "Id of your Pinpoint project: 32 hexadecimal digits."
  type        = string
}

variable "lambda_runtime" {
  description = "Runtime of the functions. Every provider in the range knows nodejs22.x; only releases 6.x know nodejs24.x."
  type        = string
  default     = "nodejs22.x"
}

variable "deletion_protection" {
  description = "Set it to false and apply before you destroy."
  type        = bool
  default     = true
}
