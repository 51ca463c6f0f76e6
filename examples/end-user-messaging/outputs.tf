output "configuration_set_name" {
  description = "Configuration set that every send must name."
  value       = module.sms_retry.configuration_set_name
}

output "event_destination_hcl" {
  description = "Event destinations to add to a configuration set of yours, as HCL; null where the module made the set."
  value       = module.sms_retry.event_destination_hcl
}

output "event_destination_commands" {
  description = "The same as commands of AWS's command line."
  value       = module.sms_retry.event_destination_commands
}

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

output "events_dead_letter_queue_url" {
  description = "Queue of delivery events that were given up."
  value       = module.sms_retry.events_dead_letter_queue_url
}

output "events_bucket_name" {
  description = "Bucket with the archive of all delivery events."
  value       = module.sms_retry.events_bucket_name
}
