# METADATA
# title: What a request may carry
# description: Content of local files is blocked, unless the caller holds allow_local_file_use.
package httpapi.dlp

deny contains message if {
	input.body_contains_file == true
	not has_permission("allow_local_file_use")
	message := sprintf("local file content blocked for user %v", [caller])
}

# Always a value: a message built on an undefined one would be undefined itself, and its rule would deny nothing.
default caller := "unknown"

caller := input.user.email

has_permission(permission) if {
	some held in input.user.roles
	held == permission
}
