output "message_table_name" {
  description = "Table into which your application writes the body of each message."
  value       = module.sms_retry.message_table_name
}

output "produce_function_name" {
  description = "Function that sends a message and writes its item, to try the system out."
  value       = module.sms_retry.produce_function_name
}

output "dead_letter_queue_url" {
  description = "Queue of retries that were given up."
  value       = module.sms_retry.dead_letter_queue_url
}

output "firehose_attached" {
  description = "Whether the transformation is in your stream."
  value       = module.sms_retry.firehose_attached
}

output "firehose_attachment_reason" {
  description = "Sentence that says so, or why not."
  value       = module.sms_retry.firehose_attachment_reason
}
