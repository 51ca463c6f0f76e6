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

output "events_bucket_name" {
  description = "Bucket with the archive of all delivery events."
  value       = module.sms_retry.events_bucket_name
}

output "kinesis_stream_arn" {
  description = "The new stream, for other consumers of the delivery events."
  value       = module.sms_retry.kinesis_stream_arn
}
