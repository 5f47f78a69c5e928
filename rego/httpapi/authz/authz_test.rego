package httpapi.authz_test

import data.httpapi.authz

test_reading_is_allowed if {
	authz.allow with input.method as "GET" with input.path as "/reports" with input.user.roles as []
}

test_writing_is_not_allowed if {
	not authz.allow with input.method as "POST" with input.path as "/reports" with input.user.roles as ["hr_access"]
}

test_hr_needs_its_role if {
	not authz.allow with input.method as "GET" with input.path as "/hr/salaries" with input.user.roles as ["engineer"]
}

test_hr_opens_with_its_role if {
	authz.allow with input.method as "GET" with input.path as "/hr/salaries" with input.user.roles as ["x", "hr_access"]
}

test_case_does_not_matter if {
	not authz.allow with input.method as "GET" with input.path as "/HR/salaries" with input.user.roles as []
}

test_the_folder_itself_is_sensitive if {
	not authz.allow with input.method as "GET" with input.path as "/hr" with input.user.roles as []
}

test_a_name_that_merely_starts_alike_is_not_sensitive if {
	authz.allow with input.method as "GET" with input.path as "/hrm/calendar" with input.user.roles as []
}

test_nobody_has_no_role if {
	not authz.allow with input.method as "GET" with input.path as "/hr/salaries"
}
